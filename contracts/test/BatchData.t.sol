// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev ζ and y of the contract are those of the plain formula over all words of the room.
abstract contract PolynomialTest is RollupTest {
    function setUp() public override {
        super.setUp();
        _openFallback();
    }

    /// @dev Posts a batch of any words and counts, and compares what the contract says with the plain evaluation.
    function _compare(uint256 seed, uint256 kind, BatchData.Sections memory used) internal {
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < used.queue; ++i) {
            _forceExit(ALICE, uint32(seed >> i), uint256(uint88(uint256(keccak256(abi.encode(seed, i))))) | 1);
        }
        if (kind == BatchData.FULL) used.registrations = 0;
        Draft memory draft = _draft(kind, 1, used);
        assertEq(draft.items.length, 2 * used.queue);
        uint256 first = kind == BatchData.FULL ? 10 + used.queue + used.transfers : draft.words.length;
        for (uint256 i = 10; i < draft.words.length; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            draft.words[i] = i >= first ? random >> 128 : random % R;
        }
        // The last word has no width in any kind.
        if (draft.words.length > 10) draft.words[draft.words.length - 1] = R - 1;
        if (kind == BatchData.FULL) {
            _propose(ANYONE, draft);
        } else {
            _blobs(kind == BatchData.BLOB);
            _do(OPERATOR, _commitAndProveCall(draft, PAYOUT));
        }
        assertEq(rollup.batch(1).binding, keccak256(abi.encodePacked(_statement(draft))));
        assertEq(rollup.batch(1).lastItem, used.queue);
        bytes memory section = _section(draft);
        assertEq(rollup.batch(1).claims, section.length == 0 ? bytes32(0) : keccak256(section));
        vm.revertToState(before);
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

    function _inEveryKind(uint256 seed, BatchData.Sections memory used) internal {
        for (uint256 kind = 0; kind < 4; ++kind) {
            _compare(seed, kind, _sections(used.queue, used.registrations, used.transfers, used.sessions));
        }
    }

    function test_Empty() public {
        _inEveryKind(1, _sections(0, 0, 0, 0));
    }

    function test_Full() public {
        _inEveryKind(2, _room());
    }
}

contract SmallRoomTest is PolynomialTest {
    function testFuzz_ZetaAndY(uint256 seed, uint256 counts, uint256 kind) public {
        _compare(seed, kind % 4, _any(counts));
    }

    /// @dev One section alone, so that each gap stands beside nothing.
    function test_EachSectionAlone() public {
        _inEveryKind(3, _sections(1, 0, 0, 0));
        _inEveryKind(4, _sections(0, 1, 0, 0));
        _inEveryKind(5, _sections(0, 0, 1, 0));
        _inEveryKind(6, _sections(0, 0, 0, 1));
    }
}

contract LargeRoomTest is PolynomialTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(37, 61, 130, 257);
    }

    /// forge-config: default.fuzz.runs = 16
    /// forge-config: heavy.fuzz.runs = 256
    function testFuzz_ZetaAndY(uint256 seed, uint256 counts, uint256 kind) public {
        _compare(seed, kind % 4, _any(counts));
    }
}

contract NarrowRoomTest is PolynomialTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(1, 0, 0, 3);
    }

    function test_SomeSessions() public {
        _inEveryKind(7, _sections(0, 0, 0, 2));
    }
}

/// @dev What things cost, in a room for 4,096 records; whole transactions are in the snapshot.
contract GasTest is RollupTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(64, 64, 64, 256);
    }

    function _queued(uint256 items) private {
        for (uint256 i = 0; i < items; ++i) {
            _deposit(ALICE, 1, 1);
        }
    }

    /// @dev Gas of a commit, without what every transaction costs (21,000, and 16 or 40 a byte of calldata).
    function _gas(uint256 queue, uint256 sessions) private returns (uint256 used) {
        uint256 before = vm.snapshotState();
        _queued(queue);
        bytes memory call_ = _commitCall(_draft(BatchData.CALLDATA, 1, _sections(queue, 0, 0, sessions)));
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
        vm.revertToState(before);
    }

    function test_GasOfACommit() public {
        assertTrue(_gas(0, 0) <= 200_000, "six slots are written");
    }

    function test_GasOfASession() public {
        assertTrue((_gas(0, 256) - _gas(0, 128)) / 128 <= 340, "three words to evaluate, to hash and to hand on");
    }

    /// @dev The slots are warm here; cold ones, as in a transaction of its own, cost 4,000 more.
    function test_GasOfAQueueItem() public {
        assertTrue((_gas(64, 0) - _gas(32, 0)) / 32 <= 2_000, "two slots, two words, and a result");
    }

    function test_GasOfAFullBatch() public {
        _commit(_draft(BatchData.CALLDATA, 1, _sections(0, 0, 0, 256)));
    }

    function test_GasOfTenDeposits() public {
        _queued(10);
    }
}
