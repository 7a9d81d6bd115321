// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Batches} from "../src/Batches.sol";
import {Escape} from "../src/Escape.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {Queue} from "../src/Queue.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev Every function that changes something, in every state: what goes through, and with which error the rest does not.
/// Batch 1 is final; batch 2 is what the states differ by.
contract StatesTest is RollupTest {
    uint256 private constant CALLS = 21;
    address private constant PROPOSER = address(0x9909);

    bytes4 private constant OK = 0;
    bytes private _firstSection;

    function setUp() public override {
        super.setUp();
        _deposit(ALICE, 7, 10 ether);
        Draft memory first = _draft(BatchData.CALLDATA, 1, _sections(1, 0, 1, 0));
        (first.words[11], first.words[12]) = (0, _claimWord(BOB, 1 ether));
        _final(first);
        _firstSection = _section(first);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
    }

    /// @dev The calls, each as good as it can be in any state.
    function _call(uint256 i, Draft memory second)
        private
        view
        returns (address who, uint256 value, bytes memory call)
    {
        uint256 next = rollup.committedBatches() + 1;
        uint256 proposals = rollup.proposals();
        Draft memory normal = _draft(BatchData.CALLDATA, next, _sections(0, 0, 0, 0));
        normal.words[8] = rollup.batch(next - 1).newRoot;
        who = ANYONE;
        if (i == 0) (who, call) = (OPERATOR, _commitCall(normal));
        if (i == 1) (who, call) = (OPERATOR, _commitAndProveCall(normal, PAYOUT));
        if (i == 2) (who, call) = (OPERATOR, abi.encodeCall(rollup.rollback, (2)));
        if (i == 3) call = _proveCall(second, PAYOUT);
        if (i == 4) {
            uint256[] memory proof = _proof(_statement(second), PAYOUT);
            call = abi.encodeCall(
                rollup.proveWithData, (2, _data(second), second.commitment, second.commitment, PAYOUT, proof)
            );
        }
        if (i == 5) call = abi.encodeCall(rollup.finalize, (2));
        if (i == 6) call = abi.encodeCall(rollup.openFallback, ());
        if (i == 7) {
            normal = _draft(BatchData.FULL, next, _sections(0, 0, 0, 0));
            normal.words[8] = rollup.batch(next - 1).newRoot;
            (value, call) = (BOND, _proposeCall(normal));
        }
        if (i == 8) (value, call) = (BOND, abi.encodeCall(rollup.challenge, (proposals, bytes32(uint256(5)))));
        if (i == 9) {
            if (second.kind == BatchData.FULL) second.words[9] ^= 1;
            call = _settleCall(second, PAYOUT);
        }
        if (i == 10) call = abi.encodeCall(rollup.claimProposal, (1));
        if (i == 11) call = abi.encodeCall(rollup.claimChallenge, (1, 0));
        if (i == 12) (value, call) = (FEE + 1, abi.encodeCall(rollup.deposit, (7, 1)));
        if (i == 13) (value, call) = (FEE, abi.encodeCall(rollup.forceExit, (7, 1)));
        if (i == 14) (value, call) = (FEE, abi.encodeCall(rollup.forceTransfer, (7, 8, 1)));
        if (i == 15) call = abi.encodeCall(rollup.claim, (1, _firstSection, 2));
        if (i == 16) call = abi.encodeCall(rollup.collect, (PAYOUT));
        if (i == 17) call = abi.encodeCall(rollup.freeze, ());
        if (i == 18) {
            uint256[8] memory leaf;
            (leaf[2], leaf[3]) = (uint160(ALICE), 9 ether);
            uint256[48] memory siblings;
            siblings[0] = uint256(keccak256(abi.encode(rollup.stateRoot(), uint32(7), leaf)));
            call = abi.encodeCall(rollup.escape, (7, leaf, siblings));
        }
        if (i == 19) call = abi.encodeCall(rollup.refund, (1));
        if (i == 20) (who, call) = (UPGRADER, abi.encodeCall(rollup.announceUpgrade, (ALICE, "")));
    }

    /// @dev Each call by itself, from the present state.
    function _expect(Draft memory second, bytes4[CALLS] memory expected) private {
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < CALLS; ++i) {
            Draft memory copy = abi.decode(abi.encode(second), (Draft));
            (address who, uint256 value, bytes memory call) = _call(i, copy);
            vm.deal(who, who.balance + value);
            vm.prank(who, who);
            (bool ok, bytes memory answer) = address(rollup).call{value: value}(call);
            bytes4 got = ok ? OK : bytes4(answer);
            if (got != expected[i]) revert Unexpected(i, expected[i], got);
            vm.revertToState(before);
        }
    }

    error Unexpected(uint256 call, bytes4 expected, bytes4 got);

    /// @dev What most states have in common.
    function _usual() private pure returns (bytes4[CALLS] memory expected) {
        expected[6] = OptimisticFallback.FallbackTooEarly.selector;
        expected[7] = OptimisticFallback.FallbackNotOpen.selector;
        expected[8] = OptimisticFallback.NotProposed.selector;
        expected[9] = OptimisticFallback.NotProposed.selector;
        expected[10] = OptimisticFallback.StakeUnknown.selector;
        expected[11] = OptimisticFallback.StakeUnknown.selector;
        expected[17] = Escape.FreezeTooEarly.selector;
        expected[18] = Escape.NotFrozen.selector;
        expected[19] = Escape.NotFrozen.selector;
    }

    function _normal() private view returns (Draft memory) {
        return _draft(BatchData.CALLDATA, 2, _sections(0, 0, 0, 1));
    }

    function test_NothingCommitted() public {
        bytes4[CALLS] memory expected = _usual();
        expected[2] = Batches.NotRevocable.selector;
        expected[3] = expected[4] = expected[9] = Batches.BatchUnknown.selector;
        expected[5] = Batches.NotFinalizable.selector;
        _expect(_normal(), expected);
    }

    function test_Committed() public {
        Draft memory second = _normal();
        _commit(second);
        bytes4[CALLS] memory expected = _usual();
        expected[1] = Batches.BatchesUnproven.selector;
        expected[5] = OptimisticFallback.ProofMissing.selector;
        _expect(second, expected);
        // Too old: the fallback can be opened, and all else is as before.
        vm.warp(block.timestamp + PROVE_WINDOW + 1);
        expected[6] = OK;
        _expect(second, expected);
    }

    function test_Proven() public {
        Draft memory second = _normal();
        _commit(second);
        _prove(second);
        bytes4[CALLS] memory expected = _usual();
        expected[2] = Batches.NotRevocable.selector;
        expected[3] = expected[4] = expected[9] = Batches.BatchNumberWrong.selector;
        _expect(second, expected);
    }

    /// @dev Notice of an upgrade changes nothing for anyone.
    function test_UpgradeAnnounced() public {
        Draft memory second = _normal();
        _commit(second);
        _do(UPGRADER, abi.encodeCall(rollup.announceUpgrade, (BOB, "")));
        bytes4[CALLS] memory expected = _usual();
        expected[1] = Batches.BatchesUnproven.selector;
        expected[5] = OptimisticFallback.ProofMissing.selector;
        _expect(second, expected);
    }

    function test_FallbackOpen() public {
        _openFallback();
        bytes4[CALLS] memory expected = _usual();
        expected[0] = expected[2] = expected[6] = Batches.FallbackIsOpen.selector;
        expected[3] = expected[4] = expected[9] = Batches.BatchUnknown.selector;
        expected[5] = Batches.NotFinalizable.selector;
        expected[7] = OK;
        _expect(_normal(), expected);
    }

    function _proposed() private returns (Draft memory second) {
        _openFallback();
        second = _draft(BatchData.FULL, 2);
        _propose(PROPOSER, second);
    }

    /// @dev While a proposal is there, anybody may prove it, settle it, challenge it, propose on it.
    function _open() private pure returns (bytes4[CALLS] memory expected) {
        expected = _usual();
        expected[0] = expected[2] = expected[6] = Batches.FallbackIsOpen.selector;
        expected[1] = Batches.BatchesUnproven.selector;
        expected[7] = expected[8] = expected[9] = OK;
        expected[10] = OptimisticFallback.StakeOpen.selector;
    }

    function test_ProposalOpen() public {
        Draft memory second = _proposed();
        bytes4[CALLS] memory expected = _open();
        expected[5] = OptimisticFallback.WindowOpen.selector;
        _expect(second, expected);
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
        expected[5] = OK;
        _expect(second, expected);
    }

    function test_Disputed() public {
        Draft memory second = _proposed();
        _challenge(BOB, 1, bytes32(uint256(9)));
        bytes4[CALLS] memory expected = _open();
        expected[5] = OptimisticFallback.BatchIsChallenged.selector;
        expected[11] = OptimisticFallback.StakeOpen.selector;
        _expect(second, expected);
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
        _expect(second, expected);
    }

    function test_Settled() public {
        Draft memory second = _proposed();
        _challenge(BOB, 1, bytes32(uint256(9)));
        Draft memory other = abi.decode(abi.encode(second), (Draft));
        other.words[9] ^= 1;
        _settle(other);
        bytes4[CALLS] memory expected = _usual();
        expected[0] = expected[2] = expected[6] = Batches.FallbackIsOpen.selector;
        expected[3] = expected[4] = expected[9] = Batches.BatchNumberWrong.selector;
        expected[7] = OK;
        expected[10] = OptimisticFallback.StakeLost.selector;
        expected[11] = OK;
        _expect(second, expected);
    }

    function test_Frozen() public {
        Draft memory second = _proposed();
        _challenge(BOB, 1, bytes32(uint256(9)));
        vm.warp(block.timestamp + ESCAPE_DELAY + DISPUTE_CAP + 1);
        rollup.freeze();
        bytes4[CALLS] memory expected;
        for (uint256 i = 0; i < CALLS; ++i) {
            bool goesOn = i == 10 || i == 11 || i == 15 || i == 16 || i == 18 || i == 19;
            expected[i] = goesOn ? OK : Queue.Frozen.selector;
        }
        expected[19] = Escape.NotRefundable.selector; // batch 1 took the item
        _expect(second, expected);
    }
}
