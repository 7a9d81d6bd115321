// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {Groth16Verifier, Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {MockVerifier, RollupTest} from "./RollupTest.sol";

contract RollupBatchesTest is RollupTest {
    function test_CommitKeepsBindingRootAndTime() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.expectEmit();
        emit AitbcRollup.BatchCommitted(1, _root(1), keccak256(data), c, zeta, y);
        vm.prank(OPERATOR);
        rollup.commit(data, c);
        AitbcRollup.Batch memory kept = rollup.batch(1);
        assertEq(uint256(kept.binding), uint256(keccak256(abi.encodePacked(c, zeta, y))));
        assertEq(kept.newRoot, _root(1));
        assertEq(kept.l1Time, NOW - 99);
        assertEq(kept.lastItem, 0);
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        _counters(1, 0, 0);
    }

    function test_OnlyTheOperatorCommits() public {
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.commit(data, c);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _commit(1);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.rollback(1);
    }

    function test_FromGenesisToFinal() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
        }
        _counters(3, 0, 0);
        for (uint256 i = 1; i <= 3; ++i) {
            vm.expectEmit();
            emit AitbcRollup.BatchProven(i, _root(i), PAYOUT);
            _prove(i);
        }
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        vm.expectEmit();
        emit AitbcRollup.BatchFinalized(2, _root(2));
        vm.prank(ANYONE);
        rollup.finalize(2);
        assertEq(rollup.stateRoot(), _root(2));
        _counters(3, 3, 2);
        rollup.finalize(3);
        assertEq(rollup.stateRoot(), _root(3));
    }

    function test_CommitAndProve() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _counters(1, 1, 0);
    }

    function test_CommitAndProveNeedsAllBeforeProven() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        bytes memory data = _data(2);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchesUnproven.selector, 0, 1));
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_CommitAndProveWithABadProofLeavesNothing() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.commitAndProve(data, c, ANYONE, _proof(c, zeta, y, PAYOUT));
        _counters(0, 0, 0);
    }

    function test_ProveInOrderAndOnce() public {
        _commit(1);
        _commit(2);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchNumberWrong.selector, 1, 2));
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _prove(1);
        (c, zeta, y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchNumberWrong.selector, 2, 1));
        rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveNeedsACommit() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 1));
        rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveNeedsThePublicInputsOfTheCommit() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes32 binding = rollup.batch(1).binding;
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory x = [c, zeta, y];
            ++x[i];
            bytes32 got = keccak256(abi.encodePacked(x[0], x[1], x[2]));
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
            rollup.prove(1, x[0], x[1], x[2], PAYOUT, _proof(x[0], x[1], x[2], PAYOUT));
        }
    }

    function test_ProofIsBoundToItsPayout() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.prove(1, c, zeta, y, ANYONE, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataMendsAWrongCommitment() public {
        bytes memory data = _data(1);
        uint256 wrong = 12345;
        vm.prank(OPERATOR);
        rollup.commit(data, wrong);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(ANYONE);
        rollup.proveWithData(1, data, wrong, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _counters(1, 1, 0);
    }

    function test_ProveWithDataNeedsTheDataOfTheCommit() public {
        _commit(1);
        bytes memory data = _data(1);
        data[10 * 32 + 31] ^= 0x01;
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1, data, new uint256[](0), _some());
        bytes32 got = keccak256(abi.encodePacked(c, zeta, y));
        bytes32 binding = rollup.batch(1).binding;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
        rollup.proveWithData(1, data, c, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataNeedsTheCommitmentOfTheCommit() public {
        _commit(1);
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        uint256[] memory none = new uint256[](0);
        uint256 other = _zeta(data, none, c + 1);
        bytes32 got = keccak256(abi.encodePacked(c + 1, other, _y(data, none, _some(), other)));
        bytes32 binding = rollup.batch(1).binding;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
        rollup.proveWithData(1, data, c + 1, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataNeedsTheRightProof() public {
        _commit(1);
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.proveWithData(1, data, c, c + 1, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataOfNoSuchLength() public {
        _commit(1);
        uint256[] memory proof;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 320, 33));
        rollup.proveWithData(1, new bytes(33), 1, 1, PAYOUT, proof);
    }

    function test_ProveWithDataInOrderAndOnce() public {
        _commit(1);
        _commit(2);
        bytes memory data = _data(2);
        uint256[] memory proof;
        uint256[3] memory wrong = [uint256(0), 2, type(uint256).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchNumberWrong.selector, 1, wrong[i]));
            rollup.proveWithData(wrong[i], data, 1, 1, PAYOUT, proof);
        }
        _prove(1);
        _prove(2);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 3));
        rollup.proveWithData(3, data, 1, 1, PAYOUT, proof);
    }

    function test_FinalizeOnlyWhatIsProvenAndOnce() public {
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 0, 0));
        rollup.finalize(0);
        _commit(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 0, 1));
        rollup.finalize(1);
        _prove(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 1, 2));
        rollup.finalize(2);
        rollup.finalize(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 1, 1, 1));
        rollup.finalize(1);
    }

    function test_RollbackVoidsWhatIsNotProven() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
        }
        _prove(1);
        vm.expectEmit();
        emit AitbcRollup.BatchesRolledBack(2, 3);
        vm.prank(OPERATOR);
        rollup.rollback(2);
        _counters(1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 2));
        rollup.batch(2);

        // A void batch cannot be proven, and its number is free for another.
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 2));
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(_words(2, _sections(0, 0, 0, 0))), 5);
        bytes32 binding = rollup.batch(2).binding;
        vm.expectRevert(
            abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, keccak256(abi.encodePacked(c, zeta, y)))
        );
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_RollbackNeverReachesProvenBatches() public {
        _commit(1);
        _commit(2);
        _prove(1);
        uint256[3] memory targets = [uint256(0), 1, 3];
        for (uint256 i = 0; i < targets.length; ++i) {
            vm.prank(OPERATOR);
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotRevocable.selector, 1, 2, targets[i]));
            rollup.rollback(targets[i]);
        }
    }

    function test_BatchUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 1));
        rollup.batch(1);
    }

    /// @dev Whatever one byte of the data is replaced with, the commit reverts, or no proof for the right data is taken
    /// and the right data are not recognised.
    function testFuzz_EveryByteIsBound(uint256 index, uint8 change) public {
        bytes memory right = _data(1);
        bytes memory data = _data(1);
        index = bound(index, 0, data.length - 1);
        data[index] ^= bytes1(uint8(bound(change, 1, 255)));
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(OPERATOR);
        try rollup.commit(data, c) {
            assertTrue(index >= 5 * 32, "no word before the counts may differ");
            bytes32 binding = rollup.batch(1).binding;
            bytes32 got = keccak256(abi.encodePacked(c, zeta, y));
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
            rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
            rollup.proveWithData(1, right, c, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        } catch {
            _counters(0, 0, 0);
        }
    }

    /// @dev Any sequence of steps, right and wrong ones, moves the counters as the three-line model says.
    function testFuzz_AnySequenceOfSteps(uint8[24] memory steps) public {
        uint256 committed;
        uint256 proven;
        uint256 finalized;
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 target = uint256(steps[i]) / 4 % 8;
            bool allowed;
            bytes memory call;
            if (steps[i] % 4 == 0) {
                allowed = target == committed + 1;
                if (target == 0) continue;
                call = abi.encodeCall(rollup.commit, (_data(target), _commitment(target)));
                if (allowed) committed = target;
            } else if (steps[i] % 4 == 1) {
                allowed = target == proven + 1 && target <= committed;
                if (target == 0) continue;
                (uint256 c, uint256 zeta, uint256 y) = _inputs(target);
                call = abi.encodeCall(rollup.prove, (target, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT)));
                if (allowed) proven = target;
            } else if (steps[i] % 4 == 2) {
                allowed = target > finalized && target <= proven;
                call = abi.encodeCall(rollup.finalize, (target));
                if (allowed) finalized = target;
            } else {
                allowed = target > proven && target <= committed;
                call = abi.encodeCall(rollup.rollback, (target));
                if (allowed) committed = target - 1;
            }
            vm.prank(OPERATOR);
            (bool ok,) = address(rollup).call(call);
            assertTrue(ok == allowed, "a step succeeds exactly when the model allows it");
            _counters(committed, proven, finalized);
            assertEq(rollup.stateRoot(), _root(finalized));
        }
    }
}

/// @dev The rollup with the real verifier and a real proof of other public inputs.
contract RollupWithRealVerifierTest is RollupTest {
    function test_ProofOfOtherInputsIsRefused() public {
        rollup = _rollup(IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY))));
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        rollup.prove(1, c, zeta, y, PAYOUT, Groth16Vector.proof());
        _counters(1, 0, 0);
    }
}
