// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {Batches} from "../src/Batches.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {Treasury} from "../src/Treasury.sol";
import {Draft} from "./Drafts.sol";
import {FallbackTest} from "./FallbackTest.sol";
import {MockVerifier} from "./Mocks.sol";

contract FallbackOpeningTest is FallbackTest {
    function test_OpensWhenTheOldestUnprovenBatchIsTooOld() public {
        bytes4 why = OptimisticFallback.FallbackTooEarly.selector;
        _refused(_openCall(), abi.encodeWithSelector(why, 0, PROVE_WINDOW));
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
            vm.warp(NOW + i * 1 hours);
        }
        vm.warp(NOW + PROVE_WINDOW);
        _refused(_openCall(), abi.encodeWithSelector(why, NOW, PROVE_WINDOW));
        vm.warp(NOW + PROVE_WINDOW + 1);
        vm.expectEmit();
        emit OptimisticFallback.FallbackOpened(1, 3);
        vm.expectEmit();
        emit Batches.BatchesRolledBack(1, 3);
        _do(ANYONE, _openCall());
        assertTrue(rollup.fallbackOpen(), "open");
        _counters(0, 0, 0);
        assertEq(rollup.pendingSince(), NOW);
        _refused(_openCall(), _error(Batches.FallbackIsOpen.selector));
    }

    /// @dev What is proven stays, and does not count as waiting.
    function test_ProvenBatchesStay() public {
        Draft memory first = _draft(1);
        _commit(first);
        _prove(first);
        vm.warp(NOW + PROVE_WINDOW + 1);
        bytes4 why = OptimisticFallback.FallbackTooEarly.selector;
        _refused(_openCall(), abi.encodeWithSelector(why, 0, PROVE_WINDOW));
        _commit(2);
        _refused(_openCall(), abi.encodeWithSelector(why, block.timestamp, PROVE_WINDOW));
        vm.warp(block.timestamp + PROVE_WINDOW + 1);
        _do(ANYONE, _openCall());
        _counters(1, 1, 0);
        rollup.finalize(1);
        assertEq(rollup.stateRoot(), _root(1));
    }

    /// @dev Items that void batches took wait again.
    function test_OpeningGivesItemsBack() public {
        _deposit(ALICE, 7, 1 ether);
        _commit(_draft(BatchData.CALLDATA, 1, _sections(1, 0, 0, 0)));
        _pointers(1, 0, 0);
        vm.warp(NOW + PROVE_WINDOW + 1);
        _do(ANYONE, _openCall());
        _pointers(0, 0, 0);
        _propose(PROPOSER, _draft(BatchData.FULL, 1, _sections(1, 0, 0, 0)));
        _pointers(1, 0, 0);
    }

    /// @dev The operator's batch with a forged root waits for a proof that there is none of, and goes with the opening.
    function test_AForgedDifferenceIsNeverFinal() public {
        Draft memory forged = _draft(1);
        forged.words[9] = 666;
        _commit(forged);
        uint256[] memory none = new uint256[](8);
        _refused(
            abi.encodeCall(rollup.prove, (1, _statement(forged), PAYOUT, none)),
            _error(MockVerifier.MockProofInvalid.selector)
        );
        vm.warp(NOW + PROVE_WINDOW + 1);
        _refused(_finalizeCall(1), abi.encodeWithSelector(OptimisticFallback.ProofMissing.selector, 1));
        _do(ANYONE, _openCall());
        _refused(_finalizeCall(1), abi.encodeWithSelector(Batches.NotFinalizable.selector, 0, 0, 1));
        // Its data are no full batch's, and its inputs with the right outcome pass.
        _refused(
            PROPOSER,
            BOND,
            abi.encodeCall(rollup.propose, (selectors[0], _data(_draft(1)), _commitment(1))),
            abi.encodeWithSelector(BatchReader.KindWrong.selector, 0)
        );
        _propose(PROPOSER, _full(1));
        _window();
        rollup.finalize(1);
        assertEq(rollup.stateRoot(), _root(1));
    }

    function test_WhileOpenTheOperatorCommitsOnlyWithAProof() public {
        _openFallback();
        _refused(OPERATOR, _commitCall(_draft(1)), _error(Batches.FallbackIsOpen.selector));
        _refused(OPERATOR, abi.encodeCall(rollup.rollback, (1)), _error(Batches.FallbackIsOpen.selector));
        vm.expectEmit();
        emit Batches.FallbackClosed();
        _do(OPERATOR, _commitAndProveCall(_draft(1), PAYOUT));
        assertTrue(!rollup.fallbackOpen(), "closed");
        _counters(1, 1, 0);
        _refused(PROPOSER, BOND, _proposeCall(_full(2)), _error(OptimisticFallback.FallbackNotOpen.selector));
        _commit(2);
    }

    /// @dev Not over anybody's proposal.
    function test_TheOperatorClosesWhenEverythingIsProven() public {
        _openFallback();
        _propose(PROPOSER, _full(1));
        _refused(
            OPERATOR,
            _commitAndProveCall(_draft(2), PAYOUT),
            abi.encodeWithSelector(Batches.BatchesUnproven.selector, 0, 1)
        );
        _prove(_full(1));
        _do(OPERATOR, _commitAndProveCall(_draft(2), PAYOUT));
        _counters(2, 2, 0);
        rollup.finalize(2);
        assertEq(rollup.stateRoot(), _root(2));
    }

    /// @dev A proof that is none closes nothing.
    function test_ABadProofLeavesTheFallbackOpen() public {
        _openFallback();
        Draft memory draft = _draft(1);
        _refused(
            OPERATOR,
            abi.encodeCall(
                rollup.commitAndProve, (selectors[0], _data(draft), draft.commitment, "", PAYOUT, new uint256[](8))
            ),
            _error(MockVerifier.MockProofInvalid.selector)
        );
        assertTrue(rollup.fallbackOpen(), "open");
    }
}

contract ProposalTest is FallbackTest {
    function setUp() public override {
        super.setUp();
        _openFallback();
    }

    function test_ProposeKeepsWhatItIs() public {
        Draft memory draft = _full(1);
        bytes memory data = _data(draft);
        vm.expectEmit();
        emit OptimisticFallback.BatchProposed(1, 1, PROPOSER, _outcome(draft));
        assertEq(_propose(PROPOSER, draft), 1);
        OptimisticFallback.Proposal memory kept = rollup.proposal(1);
        assertEq(kept.proposer, PROPOSER);
        assertEq(kept.number, 1);
        assertEq(uint256(kept.challenges), 0);
        assertTrue(!kept.settled && !kept.paid, "open");
        assertEq(kept.outcome, _outcome(draft));
        bytes memory inputs = new bytes(data.length - 32 * 3);
        for (uint256 i = 0; i < inputs.length; ++i) {
            inputs[i] = data[i < 288 ? i : i + 96]; // new root and two transfers' results are the outcome
        }
        assertEq(kept.inputs, keccak256(inputs));
        assertEq(kept.right, bytes32(0));
        Batches.Batch memory made = rollup.batch(1);
        assertEq(made.proposal, 1);
        assertEq(made.kind, BatchData.FULL);
        assertEq(made.binding, keccak256(abi.encodePacked(_statement(draft))));
        assertEq(_propose(PROPOSER, _full(2)), 2);
        _counters(2, 0, 0);
    }

    function test_TheBondIsExact() public {
        bytes4 why = Treasury.ValueWrong.selector;
        bytes memory call = _proposeCall(_full(1));
        _refused(PROPOSER, BOND - 1, call, abi.encodeWithSelector(why, BOND, BOND - 1));
        _refused(PROPOSER, BOND + 1, call, abi.encodeWithSelector(why, BOND, BOND + 1));
        _propose(PROPOSER, _full(1));
        call = _challengeCall(1, _outcome(_wrong(1)));
        _refused(BOB, BOND - 1, call, abi.encodeWithSelector(why, BOND, BOND - 1));
        _refused(BOB, BOND + 1, call, abi.encodeWithSelector(why, BOND, BOND + 1));
    }

    /// @dev Its data are a transaction's own input, so that challengers can read them.
    function test_AProposalIsATransactionsOwn() public {
        bytes memory call = _proposeCall(_full(1));
        vm.deal(PROPOSER, 2 * BOND);
        vm.prank(PROPOSER, BOB);
        (bool ok, bytes memory answer) = address(rollup).call{value: BOND}(call);
        assertTrue(!ok, "from a contract");
        assertEq(answer, abi.encodeWithSelector(OptimisticFallback.NotInTransaction.selector, PROPOSER));
        _refused(
            address(this),
            BOND,
            call,
            abi.encodeWithSelector(OptimisticFallback.NotInTransaction.selector, address(this))
        );
    }

    function test_WithoutTheBondsThereAreNoFallbackCalls() public {
        _do(OPERATOR, _commitAndProveCall(_draft(1), PAYOUT));
        _refused(PROPOSER, BOND, _proposeCall(_full(2)), _error(OptimisticFallback.FallbackNotOpen.selector));
    }

    /// @dev To the second, and it pays the proposer its bond and the items' fees.
    function test_OneThatNobodyChallengesIsFinalAfterTheWindow() public {
        _deposit(ALICE, 7, 1 ether);
        Draft memory draft = _draft(BatchData.FULL, 1, _sections(1, 0, 1, 1));
        _propose(PROPOSER, draft);
        uint256 from = block.timestamp + CHALLENGE_WINDOW;
        bytes memory why = abi.encodeWithSelector(OptimisticFallback.WindowOpen.selector, from);
        _refused(_finalizeCall(1), why);
        vm.warp(from);
        _refused(_finalizeCall(1), why);
        _refused(
            abi.encodeCall(rollup.claimProposal, (1)), abi.encodeWithSelector(OptimisticFallback.StakeOpen.selector, 1)
        );
        vm.warp(from + 1);
        vm.expectEmit();
        emit OptimisticFallback.ProposalSettled(1, _outcome(draft), PROPOSER);
        vm.expectEmit();
        emit Batches.BatchFinalized(1, _root(1));
        rollup.finalize(1);
        _counters(1, 1, 1);
        assertEq(rollup.ethOwed(PROPOSER), FEE);
        _claimProposal(1);
        assertEq(rollup.ethOwed(PROPOSER), FEE + BOND);
        _refused(
            abi.encodeCall(rollup.claimProposal, (1)), abi.encodeWithSelector(OptimisticFallback.StakePaid.selector, 1)
        );
        rollup.collect(PROPOSER);
        assertEq(PROPOSER.balance, FEE + BOND);
        assertEq(address(rollup).balance, 1 ether);
        assertEq(rollup.batch(1).payout, PROPOSER);
    }

    /// @dev A proof makes it final at once, and its maker has the fees.
    function test_OneThatIsProvenNeedsNoWindow() public {
        _deposit(ALICE, 7, 1 ether);
        Draft memory draft = _draft(BatchData.FULL, 1, _sections(1, 0, 1, 1));
        _propose(PROPOSER, draft);
        vm.expectEmit();
        emit OptimisticFallback.ProposalSettled(1, _outcome(draft), PAYOUT);
        _prove(draft);
        rollup.finalize(1);
        _claimProposal(1);
        _owes(BOND, 0, FEE);
    }

    /// @dev With a wrong C a proof of the same data goes through `proveWithData`, and settles too.
    function test_ProveWithDataSettlesAProposal() public {
        Draft memory draft = _full(1);
        draft.commitment = 12345;
        _propose(PROPOSER, draft);
        draft.commitment = _commitment(1);
        uint256[] memory proof = _proof(_statement(draft), PAYOUT);
        rollup.proveWithData(1, _data(draft), 12345, draft.commitment, PAYOUT, proof);
        rollup.finalize(1);
        _claimProposal(1);
        _owes(BOND, 0, 0);
    }

    function test_ManyInARowBecomeFinalInOrder() public {
        uint256 begin = block.timestamp;
        for (uint256 i = 1; i <= 4; ++i) {
            _propose(PROPOSER, _full(i));
            vm.warp(begin + i * 1 hours);
        }
        vm.warp(begin + CHALLENGE_WINDOW + 1 hours + 1);
        _refused(
            _finalizeCall(3),
            abi.encodeWithSelector(OptimisticFallback.WindowOpen.selector, begin + 2 hours + CHALLENGE_WINDOW)
        );
        rollup.finalize(2);
        assertEq(rollup.stateRoot(), _root(2));
        vm.warp(begin + CHALLENGE_WINDOW + 3 hours + 1);
        rollup.finalize(4);
        for (uint256 id = 1; id <= 4; ++id) {
            _claimProposal(id);
        }
        assertEq(rollup.ethOwed(PROPOSER), 4 * BOND);
    }

    function test_StakesThatAreNotThere() public {
        bytes4 why = OptimisticFallback.StakeUnknown.selector;
        for (uint256 id = 0; id < 2; ++id) {
            bytes memory unknown = abi.encodeWithSelector(why, id, 0);
            _refused(abi.encodeCall(rollup.proposal, (id)), unknown);
            _refused(abi.encodeCall(rollup.claimProposal, (id)), unknown);
            _refused(abi.encodeCall(rollup.challengeOf, (id, 0)), unknown);
            _refused(abi.encodeCall(rollup.claimChallenge, (id, 0)), unknown);
        }
        _propose(PROPOSER, _full(1));
        _challenge(BOB, 1, _outcome(_wrong(1)));
        _refused(abi.encodeCall(rollup.challengeOf, (1, 1)), abi.encodeWithSelector(why, 1, 1));
        _refused(abi.encodeCall(rollup.claimChallenge, (1, 1)), abi.encodeWithSelector(why, 1, 1));
    }
}
