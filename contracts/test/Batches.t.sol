// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {Batches} from "../src/Batches.sol";
import {Groth16Verifier, Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {VerifierRouter} from "../src/VerifierRouter.sol";
import {BlobVector} from "./BlobVector.sol";
import {Draft} from "./Drafts.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {MockVerifier} from "./Mocks.sol";
import {RollupTest} from "./RollupTest.sol";

contract BatchesTest is RollupTest {
    function _badProof() private pure returns (bytes memory) {
        return _error(MockVerifier.MockProofInvalid.selector);
    }

    function _bindingWrong(uint256 number, uint256[] memory got) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            Batches.BindingWrong.selector, rollup.batch(number).binding, keccak256(abi.encodePacked(got))
        );
    }

    function test_CommitKeepsWhatTheBatchIs() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1 + kind);
            uint256[] memory statement = _statement(draft);
            vm.expectEmit();
            emit Batches.BatchCommitted(
                1 + kind,
                _root(1 + kind),
                keccak256(_data(draft)),
                selectors[kind],
                statement,
                kind == BatchData.BLOB ? BlobVector.VERSIONED_HASH : bytes32(0)
            );
            _commit(draft);
            Batches.Batch memory kept = rollup.batch(1 + kind);
            assertEq(kept.binding, keccak256(abi.encodePacked(statement)));
            assertEq(kept.newRoot, _root(1 + kind));
            assertEq(kept.claims, keccak256(_section(draft)));
            assertEq(kept.l1Time, NOW - 99 + kind);
            assertEq(kept.committedAt, NOW);
            assertEq(uint256(kept.finalizedAt) + kept.lastItem + kept.proposal, 0);
            assertTrue(kept.selector == selectors[kind], "its circuit");
            assertEq(kept.kind, kind);
            assertEq(kept.payout, address(0));
        }
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        _counters(3, 0, 0);
    }

    function test_FromGenesisToFinalInEveryKind() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            _commit(_draft(kind, 1 + kind));
        }
        _counters(3, 0, 0);
        for (uint256 kind = 0; kind < 3; ++kind) {
            vm.expectEmit();
            emit Batches.BatchProven(1 + kind, _root(1 + kind), PAYOUT);
            _prove(_draft(kind, 1 + kind));
            assertEq(rollup.batch(1 + kind).payout, PAYOUT);
        }
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        vm.expectEmit();
        emit Batches.BatchFinalized(1, _root(1));
        vm.expectEmit();
        emit Batches.BatchFinalized(2, _root(2));
        vm.prank(ANYONE);
        rollup.finalize(2);
        assertEq(rollup.stateRoot(), _root(2));
        assertEq(rollup.finalRoot(1), _root(1));
        assertEq(rollup.batch(2).finalizedAt, NOW);
        assertEq(rollup.batch(3).finalizedAt, 0);
        _counters(3, 3, 2);
        rollup.finalize(3);
        assertEq(rollup.stateRoot(), _root(3));
    }

    function test_FinalRootIsOfFinalBatchesAlone() public {
        assertEq(rollup.finalRoot(0), GENESIS_ROOT);
        _commit(1);
        _prove(_draft(1));
        _refusedView(1, 0);
        rollup.finalize(1);
        assertEq(rollup.finalRoot(1), _root(1));
        _refusedView(2, 1);
    }

    function _refusedView(uint256 number, uint256 finalized) private {
        bytes4 why = bytes4(keccak256("BatchNotFinal(uint256,uint256)"));
        _refused(abi.encodeCall(rollup.finalRoot, (number)), abi.encodeWithSelector(why, finalized, number));
    }

    function test_CommitAndProveInEveryKind() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            _blobs(kind == BatchData.BLOB);
            _do(OPERATOR, _commitAndProveCall(_draft(kind, 1 + kind), PAYOUT));
            _counters(1 + kind, 1 + kind, 0);
        }
        rollup.finalize(3);
        assertEq(rollup.stateRoot(), _root(3));
    }

    function test_CommitTakesNoFullBatch() public {
        Draft memory draft = _draft(BatchData.FULL, 1);
        bytes memory why = abi.encodeWithSelector(BatchReader.KindWrong.selector, BatchData.FULL);
        _refused(OPERATOR, _commitCall(draft), why);
        _refused(OPERATOR, _commitAndProveCall(draft, PAYOUT), why);
    }

    function test_CommitAndProveNeedsAllBeforeProven() public {
        _commit(1);
        bytes memory why = abi.encodeWithSelector(Batches.BatchesUnproven.selector, 0, 1);
        _refused(OPERATOR, _commitAndProveCall(_draft(2), PAYOUT), why);
    }

    function test_CommitAndProveWithABadProofLeavesNothing() public {
        Draft memory draft = _draft(1);
        uint256[] memory proof = _proof(_statement(draft), PAYOUT);
        bytes memory call =
            abi.encodeCall(rollup.commitAndProve, (selectors[0], _data(draft), draft.commitment, "", ANYONE, proof));
        _refused(OPERATOR, call, _badProof());
        _counters(0, 0, 0);
    }

    function test_ProveInOrderAndOnce() public {
        _commit(1);
        _commit(2);
        _refused(_proveCall(_draft(2), PAYOUT), abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 1, 2));
        _prove(_draft(1));
        _refused(_proveCall(_draft(1), PAYOUT), abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 2, 1));
    }

    function test_ProveNeedsACommit() public {
        _refused(_proveCall(_draft(1), PAYOUT), abi.encodeWithSelector(Batches.BatchUnknown.selector, 1));
    }

    function test_ProveNeedsThePublicInputsOfTheCommit() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, 1 + kind);
            _commit(draft);
            uint256 length = kind == BatchData.BLOB ? 5 : 3;
            for (uint256 i = 0; i < length; ++i) {
                uint256[] memory other = _statement(draft);
                ++other[i];
                _refused(
                    abi.encodeCall(rollup.prove, (draft.number, other, PAYOUT, _proof(other, PAYOUT))),
                    _bindingWrong(draft.number, other)
                );
            }
            // A word less, and one more.
            for (uint256 i = 0; i < 2; ++i) {
                uint256[] memory other = new uint256[](length - 1 + 2 * i);
                for (uint256 j = 0; j < other.length && j < length; ++j) {
                    other[j] = _statement(draft)[j];
                }
                _refused(
                    abi.encodeCall(rollup.prove, (draft.number, other, PAYOUT, _proof(other, PAYOUT))),
                    _bindingWrong(draft.number, other)
                );
            }
            _prove(draft);
        }
    }

    /// @dev Who copies a proof from the mempool pays its maker; with an address of one's own it is no proof.
    function test_ACopiedProofPaysItsMaker() public {
        _deposit(ALICE, 7, 1 ether);
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(1, 0, 0, 1));
        _commit(draft);
        uint256[] memory statement = _statement(draft);
        uint256[] memory proof = _proof(statement, PAYOUT);
        _refused(BOB, abi.encodeCall(rollup.prove, (1, statement, BOB, proof)), _badProof());
        _do(BOB, abi.encodeCall(rollup.prove, (1, statement, PAYOUT, proof)));
        rollup.finalize(1);
        assertEq(rollup.ethOwed(PAYOUT), FEE);
        assertEq(rollup.ethOwed(BOB), 0);
    }

    function _withDataCall(Draft memory draft, uint256 committed, uint256 right, address payout)
        private
        view
        returns (bytes memory)
    {
        draft.commitment = right;
        return abi.encodeCall(
            rollup.proveWithData,
            (draft.number, _data(draft), committed, right, payout, _proof(_statement(draft), PAYOUT))
        );
    }

    function test_ProveWithDataMendsAWrongCommitment() public {
        Draft memory draft = _draft(1);
        draft.commitment = 12345;
        _commit(draft);
        _do(ANYONE, _withDataCall(draft, 12345, _commitment(1), PAYOUT));
        _counters(1, 1, 0);
    }

    function test_ProveWithDataNeedsTheDataOfTheCommit() public {
        _commit(1);
        Draft memory other = _draft(1);
        other.words[10] ^= 1;
        _refused(_withDataCall(other, _commitment(1), _commitment(1), PAYOUT), _bindingWrong(1, _statement(other)));
    }

    function test_ProveWithDataNeedsTheCommitmentOfTheCommit() public {
        _commit(1);
        Draft memory other = _draft(1);
        ++other.commitment;
        uint256[] memory got = _statement(other);
        _refused(_withDataCall(_draft(1), other.commitment, _commitment(1), PAYOUT), _bindingWrong(1, got));
    }

    function test_ProveWithDataNeedsTheRightProof() public {
        _commit(1);
        _refused(_withDataCall(_draft(1), _commitment(1), _commitment(1), ANYONE), _badProof());
    }

    function test_ProveWithDataOfNoSuchLength() public {
        _commit(1);
        uint256[] memory proof;
        _refused(
            abi.encodeCall(rollup.proveWithData, (1, new bytes(33), 1, 1, PAYOUT, proof)),
            abi.encodeWithSelector(BatchReader.DataLengthWrong.selector, 320, 33)
        );
    }

    function test_ProveWithDataInOrderAndOnce() public {
        _commit(1);
        _commit(2);
        bytes memory data = _data(_draft(2));
        uint256[] memory proof;
        uint256[3] memory wrong = [uint256(0), 2, type(uint256).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _refused(
                abi.encodeCall(rollup.proveWithData, (wrong[i], data, 1, 1, PAYOUT, proof)),
                abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 1, wrong[i])
            );
        }
        _prove(_draft(1));
        _prove(_draft(2));
        _refused(
            abi.encodeCall(rollup.proveWithData, (3, data, 1, 1, PAYOUT, proof)),
            abi.encodeWithSelector(Batches.BatchUnknown.selector, 3)
        );
    }

    /// @dev What is not all in calldata cannot be shown again.
    function test_ProveWithDataOfCalldataBatchesAlone() public {
        for (uint256 kind = 1; kind < 3; ++kind) {
            Draft memory draft = _draft(kind, kind);
            _commit(draft);
            _refused(
                _withDataCall(draft, draft.commitment, draft.commitment, PAYOUT),
                abi.encodeWithSelector(BatchReader.KindWrong.selector, kind)
            );
            _prove(draft);
        }
    }

    function test_FinalizeOnlyWhatIsProvenAndOnce() public {
        bytes4 why = Batches.NotFinalizable.selector;
        _refused(abi.encodeCall(rollup.finalize, (0)), abi.encodeWithSelector(why, 0, 0, 0));
        _refused(abi.encodeCall(rollup.finalize, (1)), abi.encodeWithSelector(why, 0, 0, 1));
        _commit(1);
        _refused(
            abi.encodeCall(rollup.finalize, (1)), abi.encodeWithSelector(OptimisticFallback.ProofMissing.selector, 1)
        );
        _prove(_draft(1));
        _refused(abi.encodeCall(rollup.finalize, (2)), abi.encodeWithSelector(why, 0, 1, 2));
        rollup.finalize(1);
        _refused(abi.encodeCall(rollup.finalize, (1)), abi.encodeWithSelector(why, 1, 1, 1));
        // A proven batch together with one that is not.
        _commit(2);
        _commit(3);
        _prove(_draft(2));
        _refused(
            abi.encodeCall(rollup.finalize, (3)), abi.encodeWithSelector(OptimisticFallback.ProofMissing.selector, 3)
        );
        _counters(3, 2, 1);
    }

    /// @dev Time alone makes no batch final that is not full.
    function test_NoWindowMakesAnUnprovenBatchFinal() public {
        for (uint256 kind = 0; kind < 3; ++kind) {
            _commit(_draft(kind, 1 + kind));
        }
        vm.warp(NOW + 365 days);
        _refused(
            abi.encodeCall(rollup.finalize, (1)), abi.encodeWithSelector(OptimisticFallback.ProofMissing.selector, 1)
        );
    }

    function test_RollbackVoidsWhatIsNotProven() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
        }
        _prove(_draft(1));
        vm.expectEmit();
        emit Batches.BatchesRolledBack(2, 3);
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (2)));
        _counters(1, 1, 0);
        _refused(abi.encodeCall(rollup.batch, (2)), abi.encodeWithSelector(Batches.BatchUnknown.selector, 2));

        // A void batch cannot be proven, and its number is free for another.
        Draft memory draft = _draft(2);
        _refused(_proveCall(draft, PAYOUT), abi.encodeWithSelector(Batches.BatchUnknown.selector, 2));
        _commit(_draft(BatchData.CALLDATA, 2, _sections(0, 0, 0, 0)));
        _refused(_proveCall(draft, PAYOUT), _bindingWrong(2, _statement(draft)));
    }

    function test_RollbackNeverReachesProvenBatches() public {
        _commit(1);
        _commit(2);
        _prove(_draft(1));
        uint256[3] memory targets = [uint256(0), 1, 3];
        for (uint256 i = 0; i < targets.length; ++i) {
            _refused(
                OPERATOR,
                abi.encodeCall(rollup.rollback, (targets[i])),
                abi.encodeWithSelector(Batches.NotRevocable.selector, 1, 2, targets[i])
            );
        }
    }

    function test_BatchUnknown() public {
        _refused(abi.encodeCall(rollup.batch, (1)), abi.encodeWithSelector(Batches.BatchUnknown.selector, 1));
        assertEq(rollup.batch(0).newRoot, GENESIS_ROOT);
    }

    /// @dev Whatever one byte of the data is replaced with, the commit reverts, or no proof for the right data is taken
    /// and the right data are not recognised.
    function testFuzz_EveryByteIsBound(uint256 index, uint8 change) public {
        Draft memory draft = _draft(1);
        bytes memory data = _data(draft);
        index = bound(index, 0, data.length - 1);
        data[index] ^= bytes1(uint8(bound(change, 1, 255)));
        vm.prank(OPERATOR);
        try rollup.commit(selectors[0], data, draft.commitment, "") {
            assertTrue(index >= 5 * 32, "no word before the counts may differ");
            _refused(_proveCall(draft, PAYOUT), _bindingWrong(1, _statement(draft)));
            _refused(
                _withDataCall(draft, draft.commitment, draft.commitment, PAYOUT), _bindingWrong(1, _statement(draft))
            );
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
            if (target == 0) continue;
            if (steps[i] % 4 == 0) {
                allowed = target == committed + 1;
                call = _commitCall(_draft(target));
                if (allowed) committed = target;
            } else if (steps[i] % 4 == 1) {
                allowed = target == proven + 1 && target <= committed;
                call = _proveCall(_draft(target), PAYOUT);
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
contract RealVerifierTest is RollupTest {
    function test_ProofOfOtherInputsIsRefused() public {
        IVerifier verifier = IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY)));
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](1);
        routes[0] = _route(BatchData.CALLDATA, verifier);
        router = _router(routes);
        rollup = _deploy(_parameters());
        _commit(1);
        bytes memory call = abi.encodeCall(rollup.prove, (1, _statement(_draft(1)), PAYOUT, Groth16Vector.proof()));
        _refused(call, _error(Groth16Verifier.ProofInvalid.selector));
        _counters(1, 0, 0);
        // The router hands proof and inputs on as they are.
        router.verify(selectors[0], Groth16Vector.proof(), Groth16Vector.inputs());
        vm.chainId(1);
        _refusedBy(
            address(router),
            abi.encodeCall(router.verify, (selectors[0], Groth16Vector.proof(), Groth16Vector.inputs()))
        );
    }

    function _refusedBy(address target, bytes memory call) private {
        (bool ok, bytes memory answer) = target.call(call);
        assertTrue(!ok, "a development key off its chains");
        assertEq(answer, abi.encodeWithSelector(VerifierRouter.DevelopmentKeyRefused.selector, 1));
    }
}
