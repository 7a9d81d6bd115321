// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {MockVerifier, RollupTest} from "./RollupTest.sol";

contract RollupConstructionTest is RollupTest {
    function test_Views() public view {
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        assertEq(rollup.batch(0).newRoot, GENESIS_ROOT);
        assertEq(rollup.shard(), SHARD);
        assertEq(uint160(rollup.operator()), uint160(OPERATOR));
        assertEq(rollup.maxAge(), MAX_AGE);
        assertEq(rollup.developmentChainId(), CHAIN);
        assertEq(rollup.VERSION(), 2);
        assertEq(rollup.queueRoom(), 4);
        assertEq(rollup.registrationRoom(), 3);
        assertEq(rollup.transferRoom(), 5);
        assertEq(rollup.sessionRoom(), 7);
        assertEq(rollup.queuedItems() + rollup.committedQueue() + rollup.provenQueue() + rollup.finalizedQueue(), 0);
        _counters(0, 0, 0);
    }

    function test_VerifierMustTakeFourInputs() public {
        IVerifier three = new MockVerifier(false, 3);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.VerifierInputsWrong.selector, 4, 3));
        new AitbcRollup(three, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _room(), _listed());
    }

    function test_ArgumentsMustBePossible() public {
        IVerifier verifier = rollup.verifier();
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 1));
        new AitbcRollup(verifier, R, SHARD, OPERATOR, MAX_AGE, _room(), _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 2));
        new AitbcRollup(verifier, GENESIS_ROOT, R, OPERATOR, MAX_AGE, _room(), _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 3));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, address(0), MAX_AGE, _room(), _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 4));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, 0, _room(), _listed());
        BatchData.Sections[4] memory rooms = [
            _sections(1 << 16, 0, 0, 1),
            _sections(0, 1 << 16, 0, 1),
            _sections(0, 0, 1 << 16, 1),
            _sections(0, 0, 0, 1 << 32)
        ];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 5));
            new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, rooms[i], _listed());
        }
        new AitbcRollup(
            verifier, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _sections(65535, 65535, 65535, (1 << 32) - 1), _listed()
        );
    }

    function test_DevelopmentVerifierIsRefusedOffListedChains() public {
        IVerifier development = new MockVerifier(true, 4);
        AitbcRollup there = _rollup(development);
        assertEq(there.developmentChainId(), CHAIN);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _room(), _listed());
        vm.chainId(CHAIN);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, CHAIN));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _room(), new uint256[](0));
    }

    function test_RealDevelopmentKeyIsRefusedOffListedChains() public {
        IVerifier development = IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY)));
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _room(), _listed());
    }
}

contract RollupHeaderTest is RollupTest {
    function _refused(uint256 index, uint256 value, bytes memory why) private {
        uint256[] memory words = _words(1, _some());
        words[index] = value;
        _expectCommitRevert(abi.encodePacked(words), why);
    }

    function _refused(uint256 index, uint256 value, bytes4 why, uint256 expected) private {
        _refused(index, value, abi.encodeWithSelector(why, expected, value));
    }

    function test_Version() public {
        _refused(0, 1, AitbcRollup.VersionWrong.selector, 2);
        _refused(0, 3, AitbcRollup.VersionWrong.selector, 2);
    }

    function test_ChainId() public {
        _refused(1, 1, AitbcRollup.ChainIdWrong.selector, CHAIN);
    }

    function test_Contract() public {
        uint256 own = uint160(address(rollup));
        _refused(2, own ^ 1, AitbcRollup.ContractWrong.selector, own);
        _refused(2, own | (1 << 160), AitbcRollup.ContractWrong.selector, own);
    }

    function test_Shard() public {
        _refused(3, SHARD + 1, AitbcRollup.ShardWrong.selector, SHARD);
    }

    function test_BatchNumber() public {
        _refused(4, 0, AitbcRollup.BatchNumberWrong.selector, 1);
        _refused(4, 2, AitbcRollup.BatchNumberWrong.selector, 1);
    }

    function test_CountsHaveNothingAboveThem() public {
        uint256 counts = _counts(_some());
        for (uint256 i = 144; i < 256; i += 37) {
            uint256 got = counts | 1 << i;
            _refused(5, got, abi.encodeWithSelector(AitbcRollup.CountsWrong.selector, got));
        }
    }

    function test_EveryCountAgainstTheLength() public {
        // Of queue items there are too few for one more.
        uint256[3] memory places = [uint256(16), 32, 48];
        uint256[3] memory words = [uint256(5), 2, 3];
        uint256 length = _data(1).length;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 one = 1 << places[i];
            bytes4 why = AitbcRollup.DataLengthWrong.selector;
            _refused(5, _counts(_some()) + one, abi.encodeWithSelector(why, length + 32 * words[i], length));
            _refused(5, _counts(_some()) - one, abi.encodeWithSelector(why, length - 32 * words[i], length));
        }
        // A registration has as many words as a transfer and a session: the counts alone say where words stand.
        uint256[] memory swapped = _words(1, _some());
        swapped[5] = _counts(_sections(0, 0, 3, 3));
        _commit(1, abi.encodePacked(swapped));
        (uint256 c, uint256 zeta,) = _inputs(1, abi.encodePacked(swapped), new uint256[](0), _some());
        uint256 y = _y(abi.encodePacked(swapped), new uint256[](0), _sections(0, 0, 3, 3), zeta);
        assertTrue(rollup.batch(1).binding == keccak256(abi.encodePacked(c, zeta, y)), "at their places");
    }

    function test_EveryCountAgainstTheRoom() public {
        BatchData.Sections[4] memory over =
            [_sections(5, 0, 0, 0), _sections(0, 4, 0, 0), _sections(0, 0, 6, 0), _sections(0, 0, 0, 8)];
        uint256[4] memory room = [uint256(4), 3, 5, 7];
        for (uint256 i = 0; i < 4; ++i) {
            _expectCommitRevert(
                abi.encodePacked(_words(1, over[i])),
                abi.encodeWithSelector(AitbcRollup.RoomExceeded.selector, i, room[i], room[i] + 1)
            );
        }
        _commit(1, abi.encodePacked(_words(1, _sections(0, 3, 5, 7))));
    }

    function test_NoMoreQueueItemsThanWait() public {
        bytes memory data = abi.encodePacked(_words(1, _sections(2, 0, 0, 0)));
        _expectCommitRevert(data, abi.encodeWithSelector(AitbcRollup.QueueTooShort.selector, 0, 2));
        vm.prank(ALICE);
        rollup.deposit{value: 1}(1);
        _expectCommitRevert(data, abi.encodeWithSelector(AitbcRollup.QueueTooShort.selector, 1, 2));
        vm.prank(ALICE);
        rollup.deposit{value: 1}(1);
        _commit(1, data);
        data = abi.encodePacked(_words(2, _sections(1, 0, 0, 0)));
        _expectCommitRevert(data, abi.encodeWithSelector(AitbcRollup.QueueTooShort.selector, 0, 1));
    }

    function test_Mode() public {
        _refused(6, 2, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 2));
        _refused(6, 1 << 253, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 1 << 253));
    }

    function test_L1Time() public {
        _refused(7, NOW + 1, AitbcRollup.L1TimeInFuture.selector, NOW);
        _refused(7, NOW - MAX_AGE - 1, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
        _refused(7, 0, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
    }

    function test_L1TimeAtItsLimits() public {
        uint256[] memory words = _words(1, _some());
        words[7] = NOW - MAX_AGE;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
        words = _words(2, _some());
        words[7] = NOW;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
        assertEq(rollup.batch(2).l1Time, NOW);
    }

    function test_L1TimeBeforeLastBatch() public {
        _commit(1);
        uint256[] memory words = _words(2, _some());
        uint256 last = rollup.batch(1).l1Time;
        words[7] = last - 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.L1TimeBeforeLastBatch.selector, last, last - 1)
        );
        words[7] = last;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
    }

    function test_OldRoot() public {
        _refused(8, GENESIS_ROOT + 1, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
        _refused(8, GENESIS_ROOT + R, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
    }

    function test_NewRootMustBeInField() public {
        _refused(9, R, abi.encodeWithSelector(BatchData.WordNotInField.selector, 9));
    }

    function test_EveryWordMustBeInField() public {
        for (uint256 i = 10; i < _words(1, _some()).length; ++i) {
            bytes memory why = abi.encodeWithSelector(BatchData.WordNotInField.selector, i);
            _refused(i, R, why);
            _refused(i, type(uint256).max, why);
        }
    }

    function test_DataShorterThanHeader() public {
        _expectCommitRevert("", abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 320, 0));
        _expectCommitRevert(new bytes(319), abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 320, 319));
    }

    function test_DataWithOneByteMoreOrLess() public {
        bytes memory data = _data(1);
        _expectCommitRevert(
            bytes.concat(data, hex"00"),
            abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, data.length, data.length + 1)
        );
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        _expectCommitRevert(
            data, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, data.length + 1, data.length)
        );
    }

    function test_CommitmentMustBeInField() public {
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.CommitmentNotInField.selector, R));
        rollup.commit(data, R);
    }

    function test_DevelopmentBatchOnlyWhereListed() public {
        uint256[] memory words = _words(1, _some());
        words[6] = 1;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));

        vm.chainId(1);
        rollup = _rollup(rollup.verifier());
        words = _words(1, _some());
        words[1] = 1;
        words[6] = 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1)
        );
        words[6] = 0;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
    }

    function test_ForkWithAnotherIdRefusesDevelopmentVerifier() public {
        rollup = _rollup(new MockVerifier(true, 4));
        vm.chainId(1337); // listed, but not where this contract was deployed
        uint256[] memory words = _words(1, _some());
        words[1] = 1337;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1337)
        );
    }
}
