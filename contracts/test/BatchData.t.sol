// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev ζ and y of the contract are those of the plain formula over all words of the room.
abstract contract PolynomialTest is RollupTest {
    /// @dev Commits a batch of any words and counts, and compares what the contract says with the plain evaluation.
    function _compare(uint256 seed, BatchData.Sections memory used) internal {
        uint256[] memory items = new uint256[](2 * used.queue);
        for (uint256 i = 0; i < used.queue; ++i) {
            uint32 a = uint32(seed >> i);
            uint88 amount = uint88(uint256(keccak256(abi.encode(seed, i)))) | 1;
            vm.prank(ALICE);
            rollup.forceExit(a, amount);
            uint256[] memory item = _item(2, a, 0, amount, ALICE);
            (items[2 * i], items[2 * i + 1]) = (item[0], item[1]);
        }
        uint256[] memory words = _words(1, used);
        for (uint256 i = 10; i < words.length; ++i) {
            words[i] = uint256(keccak256(abi.encode(seed, i))) % R;
        }
        if (words.length > 10) words[words.length - 1] = R - 1;
        bytes memory data = abi.encodePacked(words);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1, data, items, used);
        vm.expectEmit();
        emit AitbcRollup.BatchCommitted(1, _root(1), keccak256(data), c, zeta, y);
        _commit(1, data);
        assertEq(uint256(rollup.batch(1).binding), uint256(keccak256(abi.encodePacked(c, zeta, y))));
        assertEq(rollup.committedQueue(), used.queue);
    }

    function _any(uint256 seed) internal pure returns (BatchData.Sections memory) {
        BatchData.Sections memory room = _room();
        return _sections(
            (seed & 0xffff) % (room.queue + 1),
            (seed >> 16 & 0xffff) % (room.registrations + 1),
            (seed >> 32 & 0xffff) % (room.transfers + 1),
            (seed >> 48 & 0xffff) % (room.sessions + 1)
        );
    }

    function test_Empty() public {
        _compare(1, _sections(0, 0, 0, 0));
    }

    function test_Full() public {
        _compare(2, _room());
    }
}

contract SmallRoomTest is PolynomialTest {
    function testFuzz_ZetaAndY(uint256 seed, uint256 counts) public {
        _compare(seed, _any(counts));
    }

    /// @dev One section alone, so that each gap stands beside nothing.
    function test_EachSectionAlone() public {
        _compare(3, _sections(1, 0, 0, 0));
        setUp();
        _compare(4, _sections(0, 1, 0, 0));
        setUp();
        _compare(5, _sections(0, 0, 1, 0));
        setUp();
        _compare(6, _sections(0, 0, 0, 1));
    }
}

contract LargeRoomTest is PolynomialTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(37, 61, 130, 257);
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_ZetaAndY(uint256 seed, uint256 counts) public {
        _compare(seed, _any(counts));
    }
}

contract NoRoomTest is PolynomialTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(0, 0, 0, 3);
    }

    function test_SomeSessions() public {
        _compare(7, _sections(0, 0, 0, 2));
    }
}

/// @dev What things cost, in a room for 4,096 records; whole transactions are in the snapshot.
contract GasTest is RollupTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(64, 64, 64, 256);
    }

    function _queued(uint256 items) private {
        for (uint256 i = 0; i < items; ++i) {
            vm.prank(ALICE);
            rollup.deposit{value: 1}(1);
        }
    }

    /// @dev Gas of a commit, without what every transaction costs (21,000, and 16 or 40 a byte of calldata).
    function _gas(uint256 queue, uint256 sessions) private returns (uint256 used) {
        setUp();
        _queued(queue);
        bytes memory data = abi.encodePacked(_words(1, _sections(queue, 0, 0, sessions)));
        bytes memory call_ = abi.encodeCall(rollup.commit, (data, 1));
        address target = address(rollup);
        vm.prank(OPERATOR);
        bool ok;
        assembly ("memory-safe") {
            // Solidity's own call would copy the calldata first.
            used := gas()
            ok := call(gas(), target, 0, add(call_, 32), mload(call_), 0, 0)
            used := sub(used, gas())
        }
        assertTrue(ok, "committed");
    }

    function test_GasOfACommit() public {
        assertTrue(_gas(0, 0) <= 112_000, "four slots are written");
    }

    function test_GasOfASession() public {
        assertTrue((_gas(0, 256) - _gas(0, 128)) / 128 <= 245, "three words to evaluate and to hash");
    }

    /// @dev The slots are warm here; cold ones, as in a transaction of its own, cost 4,000 more.
    function test_GasOfAQueueItem() public {
        assertTrue((_gas(64, 0) - _gas(32, 0)) / 32 <= 1_650, "two slots, two words, and a result");
    }

    function test_GasOfAFullBatch() public {
        _commit(1, abi.encodePacked(_words(1, _sections(0, 0, 0, 256))));
    }

    function test_GasOfTenDeposits() public {
        _queued(10);
    }
}
