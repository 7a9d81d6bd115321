// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Batches} from "../src/Batches.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {Draft} from "./Drafts.sol";
import {FallbackTest} from "./FallbackTest.sol";
import {MockVerifier} from "./Mocks.sol";

contract DisputeTest is FallbackTest {
    uint256 private constant HALF = BOND / 2;
    uint256 private constant REST = BOND - HALF;

    function setUp() public override {
        super.setUp();
        _openFallback();
    }

    function _burned() private view returns (uint256) {
        return address(0).balance;
    }

    function test_AChallengeIsKept() public {
        _propose(PROPOSER, _full(1));
        bytes32 other = _outcome(_wrong(1));
        uint256 now_ = block.timestamp;
        vm.expectEmit();
        emit OptimisticFallback.BatchChallenged(1, 0, BOB, other);
        _challenge(BOB, 1, other);
        assertEq(rollup.disputedSince(), now_);
        vm.warp(now_ + 1);
        assertEq(_challenge(ALICE, 1, bytes32(uint256(5))), 1);
        OptimisticFallback.Challenge memory kept = rollup.challengeOf(1, 1);
        assertEq(kept.challenger, ALICE);
        assertEq(kept.outcome, bytes32(uint256(5)));
        assertTrue(!kept.paid, "open");
        assertEq(rollup.disputedSince(), now_);
        assertEq(uint256(rollup.proposal(1).challenges), 2);
    }

    function test_WhatCannotBeChallenged() public {
        bytes4 why = OptimisticFallback.NotProposed.selector;
        bytes32 outcome = _outcome(_wrong(1));
        // None with this number; none at all.
        _refused(BOB, BOND, _challengeCall(0, outcome), abi.encodeWithSelector(why, 0));
        _refused(BOB, BOND, _challengeCall(1, outcome), abi.encodeWithSelector(why, 0));
        _propose(PROPOSER, _full(1));
        // With its own outcome: nothing would be in dispute.
        bytes32 own = _outcome(_full(1));
        _refused(
            BOB, BOND, _challengeCall(1, own), abi.encodeWithSelector(OptimisticFallback.NotConflicting.selector, own)
        );
        _prove(_full(1));
        _refused(BOB, BOND, _challengeCall(1, outcome), abi.encodeWithSelector(why, 1));
        rollup.finalize(1);
        _refused(BOB, BOND, _challengeCall(1, outcome), abi.encodeWithSelector(why, 1));
    }

    /// @dev A challenge names its proposal: it does not hit another that took the number.
    function test_AChallengeOfAReplacedProposal() public {
        _propose(PROPOSER, _wrong(1));
        _propose(PROPOSER, _child(2, 1_001));
        _challenge(BOB, 1, _outcome(_full(1)));
        _settle(_full(1));
        _propose(PROPOSER, _full(2)); // the third, of the second batch
        _refused(
            BOB,
            BOND,
            _challengeCall(2, bytes32(0)),
            abi.encodeWithSelector(OptimisticFallback.StakeUnknown.selector, 2, 0)
        );
        _challenge(BOB, 3, bytes32(0));
    }

    /// @dev No time decides, and no number of challenges.
    function test_AChallengedBatchNeedsAProofHoweverLate() public {
        Draft memory draft = _full(1);
        _propose(PROPOSER, draft);
        _window(); // the window alone is no end to challenges
        _challenge(BOB, 1, _outcome(_wrong(1)));
        bytes memory why = abi.encodeWithSelector(OptimisticFallback.BatchIsChallenged.selector, 1);
        _refused(_finalizeCall(1), why);
        vm.warp(block.timestamp + 3650 days);
        _refused(_finalizeCall(1), why);
        _challenge(ALICE, 1, bytes32(0));
        _prove(draft);
        rollup.finalize(1);
        assertEq(rollup.stateRoot(), _root(1));
        assertEq(rollup.disputedSince(), 0);
    }

    /// @dev What stands on a batch in dispute waits with it.
    function test_ADisputeHoldsUpWhatFollows() public {
        _propose(PROPOSER, _full(1));
        _propose(PROPOSER, _full(2));
        _challenge(BOB, 1, _outcome(_wrong(1)));
        _window();
        _refused(_finalizeCall(2), abi.encodeWithSelector(OptimisticFallback.BatchIsChallenged.selector, 1));
        _refused(_proveCall(_full(2), PAYOUT), abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 1, 2));
    }

    /// @dev A challenger who was wrong: half is burned, half is the proof's maker's.
    function test_AForgedChallengeLosesItsBond() public {
        _propose(PROPOSER, _full(1));
        _challenge(BOB, 1, _outcome(_wrong(1)));
        _challenge(BOB, 1, bytes32(0));
        _prove(_full(1));
        uint256 burned = _burned();
        _claimProposal(1);
        _owes(BOND, 0, 0);
        _claimChallenge(1, 0);
        _owes(BOND, 0, REST);
        _claimChallenge(1, 1);
        _owes(BOND, 0, 2 * REST);
        assertEq(_burned() - burned, 2 * HALF);
        _refused(
            abi.encodeCall(rollup.claimChallenge, (1, 0)),
            abi.encodeWithSelector(OptimisticFallback.StakePaid.selector, 1)
        );
        assertEq(address(rollup).balance, BOND + 2 * REST);
    }

    /// @dev A proposer who was wrong: half is burned, a quarter is the first right challenger's, the rest the prover's.
    function test_AWrongProposalLosesItsBond() public {
        Draft memory wrong = _wrong(1);
        _propose(PROPOSER, wrong);
        bytes32 right = _outcome(_full(1));
        _challenge(ALICE, 1, bytes32(uint256(1))); // wrong too
        _challenge(BOB, 1, right);
        _challenge(ANYONE, 1, right); // right, but second
        uint256 burned = _burned();
        vm.expectEmit();
        emit OptimisticFallback.ProposalSettled(1, right, PAYOUT);
        _settle(_full(1));
        assertEq(_burned() - burned, HALF);
        _owes(0, REST / 2, REST - REST / 2);
        assertEq(rollup.batch(1).newRoot, _root(1));
        assertEq(rollup.batch(1).proposal, 0);
        _counters(1, 1, 0);
        rollup.finalize(1);
        assertEq(rollup.stateRoot(), _root(1));

        for (uint256 i = 0; i < 3; ++i) {
            _claimChallenge(1, i);
        }
        _owes(0, REST / 2 + BOND, REST - REST / 2 + REST);
        assertEq(rollup.ethOwed(ALICE), 0);
        assertEq(rollup.ethOwed(ANYONE), BOND);
        assertEq(_burned() - burned, 2 * HALF);
        _refused(
            abi.encodeCall(rollup.claimProposal, (1)), abi.encodeWithSelector(OptimisticFallback.StakeLost.selector, 1)
        );
        uint256 owed = rollup.ethOwed(BOB) + rollup.ethOwed(PAYOUT) + rollup.ethOwed(ANYONE);
        assertEq(address(rollup).balance, owed);
        OptimisticFallback.Proposal memory kept = rollup.proposal(1);
        assertTrue(kept.settled && kept.right == right && kept.payout == PAYOUT, "as decided");
    }

    /// @dev Without any challenge a proof of another outcome still decides; its maker has all that is not burned.
    function test_AProofNeedsNoChallenge() public {
        _propose(PROPOSER, _wrong(1));
        uint256 burned = _burned();
        _settle(_full(1));
        _owes(0, 0, REST);
        assertEq(_burned() - burned, HALF);
        assertEq(address(rollup).balance, REST);
    }

    /// @dev Only challengers of other outcomes: none of them has a share.
    function test_AWrongChallengeOfAWrongProposalHasNoShare() public {
        _propose(PROPOSER, _wrong(1));
        _challenge(BOB, 1, bytes32(uint256(9)));
        _settle(_full(1));
        _owes(0, 0, REST);
        _claimChallenge(1, 0);
        _owes(0, 0, 2 * REST);
    }

    /// @dev Who challenges oneself loses half of a bond, as proposer or as challenger, even as the proof's maker.
    function test_ASelfChallengeCosts() public {
        vm.deal(BOB, 10 ether);
        uint256 before = vm.snapshotState();
        _propose(BOB, _wrong(1));
        _challenge(BOB, 1, _outcome(_full(1)));
        _do(BOB, _settleCall(_full(1), BOB));
        _claimChallenge(1, 0);
        assertEq(rollup.ethOwed(BOB), 2 * BOND - HALF);
        assertEq(address(rollup).balance, 2 * BOND - HALF);
        vm.revertToState(before);

        _propose(BOB, _full(1));
        _challenge(BOB, 1, _outcome(_wrong(1)));
        _do(BOB, _proveCall(_full(1), BOB));
        _claimProposal(1);
        _claimChallenge(1, 0);
        assertEq(rollup.ethOwed(BOB), 2 * BOND - HALF);
    }

    /// @dev Proposals and challenges on a wrong one are void with it, and their bonds go back.
    function test_VoidDescendantsHaveTheirBondsBack() public {
        _propose(PROPOSER, _wrong(1));
        Draft memory child = _full(2);
        child.words[8] = 1_001; // stands on the wrong root
        _propose(ALICE, child);
        _challenge(BOB, 2, bytes32(uint256(3)));
        _challenge(BOB, 1, _outcome(_full(1)));
        bytes memory open = abi.encodeWithSelector(OptimisticFallback.StakeOpen.selector, 2);
        _refused(abi.encodeCall(rollup.claimProposal, (2)), open);
        _refused(abi.encodeCall(rollup.claimChallenge, (2, 0)), open);
        vm.expectEmit();
        emit Batches.BatchesRolledBack(2, 2);
        _settle(_full(1));
        _counters(1, 1, 0);
        _claimProposal(2);
        _claimChallenge(2, 0);
        assertEq(rollup.ethOwed(ALICE), BOND);
        assertEq(rollup.ethOwed(BOB), BOND + REST / 2);
        // The number is taken by another; the void ones stay void, and are paid once.
        _propose(PROPOSER, _full(2));
        bytes memory paid = abi.encodeWithSelector(OptimisticFallback.StakePaid.selector, 2);
        _refused(abi.encodeCall(rollup.claimProposal, (2)), paid);
        _refused(abi.encodeCall(rollup.claimChallenge, (2, 0)), paid);
    }

    /// @dev Neither while it is open nor, if its number is taken by another, ever after is a void stake lost.
    function test_AVoidStakeIsPaidAfterItsNumberIsTaken() public {
        _propose(PROPOSER, _wrong(1));
        _propose(ALICE, _child(2, 1_001));
        _challenge(BOB, 2, bytes32(uint256(3)));
        _settle(_full(1));
        _propose(PROPOSER, _full(2));
        _prove(_full(2));
        rollup.finalize(2);
        _claimProposal(2);
        _claimChallenge(2, 0);
        assertEq(rollup.ethOwed(ALICE), BOND);
        assertEq(rollup.ethOwed(BOB), BOND);
    }

    function _child(uint256 number, uint256 oldRoot) private view returns (Draft memory draft) {
        draft = _full(number);
        draft.words[8] = oldRoot;
    }

    function test_SettleNeedsTheSameInputs() public {
        _propose(PROPOSER, _wrong(1));
        bytes32 inputs = rollup.proposal(1).inputs;
        // Each word but those of the outcome, which end with the transfers' results.
        uint256 length = _full(1).words.length;
        for (uint256 i = 0; i < length; ++i) {
            if (i == 5 || (i >= 9 && i < 12)) continue; // counts are below
            Draft memory other = _full(1);
            other.words[i] ^= 1;
            vm.prank(ANYONE);
            (bool ok, bytes memory answer) = address(rollup).call(_settleCall(other, PAYOUT));
            assertTrue(!ok && bytes4(answer) == OptimisticFallback.InputsWrong.selector, "another input");
            bytes32 expected;
            assembly ("memory-safe") {
                expected := mload(add(answer, 36))
            }
            assertEq(expected, inputs);
        }
        Draft memory operator = _full(1);
        operator.words[5] ^= 1 << 112;
        bytes memory call = _settleCall(operator, PAYOUT);
        vm.prank(ANYONE);
        (bool done, bytes memory why) = address(rollup).call(call);
        assertTrue(!done && bytes4(why) == OptimisticFallback.InputsWrong.selector, "the operator's index");
    }

    function test_SettleNeedsAnotherOutcome() public {
        _propose(PROPOSER, _full(1));
        _refused(
            _settleCall(_full(1), PAYOUT),
            abi.encodeWithSelector(OptimisticFallback.NotConflicting.selector, _outcome(_full(1)))
        );
    }

    function test_SettleInOrderOfProposalsAndOnce() public {
        bytes4 why = OptimisticFallback.NotProposed.selector;
        _refused(_settleCall(_full(1), PAYOUT), abi.encodeWithSelector(Batches.BatchUnknown.selector, 1));
        _propose(PROPOSER, _wrong(1));
        _propose(PROPOSER, _child(2, 1_001));
        _refused(_settleCall(_child(2, 1_001), PAYOUT), abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 1, 2));
        _settle(_full(1));
        _refused(_settleCall(_full(1), PAYOUT), abi.encodeWithSelector(Batches.BatchNumberWrong.selector, 2, 1));
        // Operators' batches are not settled: proven or void.
        _do(OPERATOR, _commitAndProveCall(_draft(2), PAYOUT));
        _commit(3);
        _refused(_settleCall(_full(3), PAYOUT), abi.encodeWithSelector(why, 3));
    }

    /// @dev A proof that is none, or whose payout was changed on the way, leaves everything as it was.
    function test_SettleNeedsTheProofOfItsPayout() public {
        _propose(PROPOSER, _wrong(1));
        _propose(PROPOSER, _child(2, 1_001));
        Draft memory draft = _full(1);
        uint256[] memory proof = _proof(_statement(draft), PAYOUT);
        bytes memory call = abi.encodeCall(rollup.settle, (1, _data(draft), draft.commitment, BOB, proof));
        _refused(BOB, call, _error(MockVerifier.MockProofInvalid.selector));
        _counters(2, 0, 0);
        assertEq(rollup.batch(1).newRoot, 1_001);
        assertTrue(!rollup.proposal(1).settled, "open");
        assertEq(rollup.ethOwed(BOB), 0);
        call = abi.encodeCall(rollup.settle, (1, _data(draft), draft.commitment, PAYOUT, proof));
        _do(BOB, call); // copied: it pays its maker
        assertEq(rollup.ethOwed(PAYOUT), REST);
        assertEq(rollup.ethOwed(BOB), 0);
    }

    // -- a frozen circuit -----------------------------------------------------------------------------------------------

    function _freezeCircuit(uint256 kind) private {
        vm.prank(GUARDIAN);
        router.freeze(selectors[kind]);
    }

    /// @dev Neither by time nor by proof; anybody clears it away, and all have their bonds back.
    function test_WithoutALiveCircuitNothingIsFinalOptimistically() public {
        Draft memory draft = _full(1);
        _propose(PROPOSER, draft);
        _propose(ALICE, _full(2));
        _challenge(BOB, 2, bytes32(uint256(3)));
        _window();
        _freezeCircuit(BatchData.FULL);
        bytes4 selector = selectors[BatchData.FULL];
        _refused(_finalizeCall(1), abi.encodeWithSelector(Batches.CircuitFrozen.selector, 1, selector));
        bytes memory why = abi.encodeWithSelector(bytes4(keccak256("RouteIsFrozen(bytes4)")), selector);
        _refused(_proveCall(draft, PAYOUT), why);
        _refused(_settleCall(_wrong(1), PAYOUT), why);
        _refused(PROPOSER, BOND, _proposeCall(_full(3)), why);
        _do(ANYONE, abi.encodeCall(rollup.rollback, (1)));
        _counters(0, 0, 0);
        assertTrue(rollup.pendingSince() != 0, "the clock of escape goes on");
        _claimProposal(1);
        _claimProposal(2);
        _claimChallenge(2, 0);
        _owes(BOND, BOND, 0);
        assertEq(rollup.ethOwed(ALICE), BOND);
    }

    /// @dev A proven one of a circuit that is frozen before it is final is never final either.
    function test_AProvenBatchOfAFrozenCircuitIsNeverFinal() public {
        _do(OPERATOR, _commitAndProveCall(_draft(1), PAYOUT));
        _do(OPERATOR, _commitAndProveCall(_draft(2), PAYOUT));
        rollup.finalize(1);
        _refused(
            ANYONE,
            abi.encodeCall(rollup.rollback, (2)),
            abi.encodeWithSelector(bytes4(keccak256("Unauthorized(address)")), ANYONE)
        );
        _freezeCircuit(BatchData.CALLDATA);
        _refused(_finalizeCall(2), abi.encodeWithSelector(Batches.CircuitFrozen.selector, 2, selectors[0]));
        // What is final stays.
        _refused(
            OPERATOR,
            abi.encodeCall(rollup.rollback, (1)),
            abi.encodeWithSelector(Batches.NotRevocable.selector, 2, 2, 1)
        );
        vm.expectEmit();
        emit Batches.BatchesRolledBack(2, 2);
        _do(ANYONE, abi.encodeCall(rollup.rollback, (2)));
        _counters(1, 1, 1);
        assertEq(rollup.pendingSince(), 0);
        // Another circuit goes on.
        Draft memory attested = _draft(BatchData.ATTESTED, 2);
        _final(attested);
        assertEq(rollup.stateRoot(), _root(2));
    }
}
