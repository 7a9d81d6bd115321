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
        assertEq(rollup.VERSION(), 1);
        _counters(0, 0, 0);
    }

    function test_VerifierMustTakeFourInputs() public {
        IVerifier three = new MockVerifier(false, 3);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.VerifierInputsWrong.selector, 4, 3));
        new AitbcRollup(three, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
    }

    function test_ArgumentsMustBePossible() public {
        IVerifier verifier = rollup.verifier();
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 1));
        new AitbcRollup(verifier, R, SHARD, OPERATOR, MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 2));
        new AitbcRollup(verifier, GENESIS_ROOT, R, OPERATOR, MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 3));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, address(0), MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 4));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, 0, _listed());
    }

    function test_DevelopmentVerifierIsRefusedOffListedChains() public {
        IVerifier development = new MockVerifier(true, 4);
        AitbcRollup there = _rollup(development);
        assertEq(there.developmentChainId(), CHAIN);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
        vm.chainId(CHAIN);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, CHAIN));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, new uint256[](0));
    }

    function test_RealDevelopmentKeyIsRefusedOffListedChains() public {
        IVerifier development = IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY)));
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
    }
}

contract RollupHeaderTest is RollupTest {
    function _refused(uint256 index, uint256 value, bytes memory why) private {
        uint256[] memory words = _words(1, 2);
        words[index] = value;
        _expectCommitRevert(abi.encodePacked(words), why);
    }

    function _refused(uint256 index, uint256 value, bytes4 why, uint256 expected) private {
        _refused(index, value, abi.encodeWithSelector(why, expected, value));
    }

    function test_Version() public {
        _refused(0, 0, AitbcRollup.VersionWrong.selector, 1);
        _refused(0, 2, AitbcRollup.VersionWrong.selector, 1);
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

    function test_Counts() public {
        uint256 counts = _words(1, 2)[5];
        _refused(5, counts | (1 << 96), abi.encodeWithSelector(AitbcRollup.CountsWrong.selector, counts | (1 << 96)));
        _refused(5, counts + 1, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 22 * 32, 19 * 32));
        _refused(5, counts - 1, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 16 * 32, 19 * 32));
    }

    function test_ByteLength() public {
        _refused(6, 19 * 32 + 1, AitbcRollup.ByteLengthWrong.selector, 19 * 32);
        _refused(6, 0, AitbcRollup.ByteLengthWrong.selector, 19 * 32);
    }

    function test_Mode() public {
        _refused(7, 2, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 2));
        _refused(7, 1 << 253, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 1 << 253));
    }

    function test_L1Time() public {
        _refused(8, NOW + 1, AitbcRollup.L1TimeInFuture.selector, NOW);
        _refused(8, NOW - MAX_AGE - 1, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
        _refused(8, 0, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
    }

    function test_L1TimeAtItsLimits() public {
        uint256[] memory words = _words(1, 2);
        words[8] = NOW - MAX_AGE;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
        words = _words(2, 2);
        words[8] = NOW;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
        assertEq(rollup.batch(2).l1Time, NOW);
    }

    function test_L1TimeBeforeLastBatch() public {
        _commit(1);
        uint256[] memory words = _words(2, 2);
        uint256 last = rollup.batch(1).l1Time;
        words[8] = last - 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.L1TimeBeforeLastBatch.selector, last, last - 1)
        );
        words[8] = last;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
    }

    function test_OldRoot() public {
        _refused(9, GENESIS_ROOT + 1, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
        _refused(9, GENESIS_ROOT + R, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
    }

    function test_NewRootMustBeInField() public {
        _refused(10, R, abi.encodeWithSelector(BatchData.WordNotInField.selector, 10));
    }

    function test_QueueDigest() public {
        _refused(11, 1, abi.encodeWithSelector(AitbcRollup.QueueDigestNotZero.selector, 1));
    }

    function test_WithdrawalsDigest() public {
        _refused(12, 1, abi.encodeWithSelector(AitbcRollup.WithdrawalsDigestNotZero.selector, 1));
    }

    function test_EveryWordMustBeInField() public {
        for (uint256 i = 13; i < 19; ++i) {
            bytes memory why = abi.encodeWithSelector(BatchData.WordNotInField.selector, i);
            _refused(i, R, why);
            _refused(i, type(uint256).max, why);
        }
    }

    function test_DataShorterThanHeader() public {
        _expectCommitRevert("", abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 416, 0));
        _expectCommitRevert(new bytes(415), abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 416, 415));
    }

    function test_DataWithOneByteMoreOrLess() public {
        bytes memory data = _data(1);
        _expectCommitRevert(
            bytes.concat(data, hex"00"), abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 608, 609)
        );
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        _expectCommitRevert(data, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 608, 607));
    }

    function test_CommitmentMustBeInField() public {
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.CommitmentNotInField.selector, R));
        rollup.commit(data, R);
    }

    function test_DevelopmentBatchOnlyWhereListed() public {
        uint256[] memory words = _words(1, 2);
        words[7] = 1;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));

        vm.chainId(1);
        rollup = _rollup(rollup.verifier());
        words = _words(1, 2);
        words[1] = 1;
        words[7] = 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1)
        );
        words[7] = 0;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
    }

    function test_ForkWithAnotherIdRefusesDevelopmentVerifier() public {
        rollup = _rollup(new MockVerifier(true, 4));
        vm.chainId(1337); // listed, but not where this contract was deployed
        uint256[] memory words = _words(1, 2);
        words[1] = 1337;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1337)
        );
    }
}
