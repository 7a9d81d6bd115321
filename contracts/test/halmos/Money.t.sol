// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchReader} from "../../src/BatchReader.sol";
import {Batches} from "../../src/Batches.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Queue} from "../../src/Queue.sol";
import {Vm} from "../Test.sol";
import {Harness, World} from "./Harness.sol";

/// @dev What is paid, for all values at once: `make halmos` (contracts/README.md). Every argument of a `check_` is a symbol;
/// an `assert` that some value breaks is a counterexample.
abstract contract Symbolic {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 internal constant FEE = 1_000;
    uint256 internal constant BOND = 1 ether + 1; // odd, so that halves differ
    uint256 internal constant DAY = 1 days;
    uint256 internal constant NOW = 20_000 * DAY;
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    address internal constant CAROL = address(0xca401);
    address internal constant PAYOUT = address(0x789);

    World internal world;
    Harness internal rollup;

    function setUp() public {
        vm.warp(NOW);
        world = new World();
        rollup = new Harness(world, _parameters());
        vm.deal(address(rollup), 1 << 100);
        vm.deal(address(this), 1 << 100);
    }

    function _parameters() internal pure returns (Parameters memory p) {
        (p.maxAge, p.queueRoom, p.queueDelay, p.itemInterval) = (1 days, 4, 1 days, 1 hours);
        (p.queueFee, p.bond, p.rateFloor, p.rateBps) = (uint96(FEE), uint96(BOND), 5 ether, 1_000);
        (p.proveWindow, p.challengeWindow, p.disputeCap, p.escapeDelay) = (1 days, 2 days, 3 days, 7 days);
        p.withdrawalDelay = 6 hours;
    }

    /// @dev A final batch with one result and one transfer of these words.
    function _finalBatch(bytes memory section, uint40 finalizedAt) internal {
        Batches.Batch memory made;
        (made.claims, made.finalizedAt, made.lastItem) = (keccak256(section), finalizedAt, 1);
        rollup.setBatch(1, made, true);
    }
}

/// @dev Withdrawals, and what becomes a debt.
contract MoneyCheck is Symbolic {
    /// @dev Paid is what is owed or what the day still has, and it leaves debt, holdings and the account alike.
    function check_AWithdrawalLeavesTheDebtByWhatItPays(uint96 due, uint96 held, bool frozen) public {
        vm.assume(held < 1 << 95 && due <= held && due != 0);
        rollup.setDebts(ALICE, due, held);
        rollup.setFrozen(frozen);
        uint256 before = address(rollup).balance;
        uint256 available = rollup.withdrawable();
        rollup.withdraw(ALICE);
        uint256 paid = ALICE.balance;
        assert(paid == (due < available ? due : available));
        assert(rollup.owed(ALICE) == due - paid);
        assert(rollup.holdings() == held - paid);
        assert(address(rollup).balance == before - paid);
    }

    /// @dev What is paid on one day, by two withdrawals at any times of it, is at most what its first one found.
    function check_TheRateHolds(uint96 due, uint96 other, uint96 held, uint32 first, uint32 second) public {
        vm.assume(held < 1 << 95 && uint256(due) + other <= held && due != 0 && other != 0);
        vm.assume(first < DAY && second < DAY && first <= second);
        rollup.setDebts(ALICE, due, held);
        rollup.setDebts(BOB, other, held);
        vm.warp(NOW + first);
        uint256 limit = rollup.withdrawable();
        rollup.withdraw(ALICE);
        vm.warp(NOW + second);
        try rollup.withdraw(BOB) {} catch {}
        assert(ALICE.balance + BOB.balance <= limit);
    }

    /// @dev And that is the floor, or the share of what is held.
    function check_TheRateIsFloorOrShare(uint96 held) public {
        rollup.setDebts(ALICE, 1, held);
        uint256 share = uint256(held) * 1_000 / 10_000;
        assert(rollup.withdrawable() == (share > 5 ether ? share : 5 ether));
    }

    /// @dev Fees and bonds are paid once, and are no part of the holdings.
    function check_FeesAreCollectedOnce(uint96 due, uint96 held) public {
        vm.assume(due != 0);
        rollup.setFees(ALICE, due);
        rollup.setDebts(BOB, held, held);
        rollup.collect(ALICE);
        assert(ALICE.balance == due && rollup.ethOwed(ALICE) == 0);
        assert(rollup.holdings() == held && rollup.owed(BOB) == held);
        try rollup.collect(ALICE) {
            assert(false);
        } catch {}
    }

    /// @dev A word of a final batch is a debt to its address at its amount, once, not before its time, and nothing else is.
    function check_AResultIsADebtOnce(uint256 result, uint256 terms, uint256 amounts, uint40 finalizedAt) public {
        _claimOnce(abi.encode(result, terms, amounts), finalizedAt, 0, result);
    }

    function check_ATransferIsADebtOnce(uint256 result, uint256 terms, uint256 amounts, uint40 finalizedAt) public {
        _claimOnce(abi.encode(result, terms, amounts), finalizedAt, 2, amounts);
    }

    function check_TermsAreNoDebt(uint256 result, uint256 terms, uint256 amounts) public {
        bytes memory section = abi.encode(result, terms, amounts);
        _finalBatch(section, 0);
        for (uint256 word = 1; word < 5; word += word == 1 ? 2 : 1) {
            try rollup.claim(1, section, word) {
                assert(false);
            } catch {}
        }
    }

    function _claimOnce(bytes memory section, uint40 finalizedAt, uint256 word, uint256 claimed) private {
        vm.assume(finalizedAt <= NOW);
        _finalBatch(section, finalizedAt);
        rollup.claim(1, section, word);
        address to = address(uint160(claimed >> 88));
        assert(to != address(0) && block.timestamp >= uint256(finalizedAt) + 6 hours);
        assert(rollup.owed(to) == claimed & type(uint88).max && rollup.holdings() == 0);
        try rollup.claim(1, section, word) {
            assert(false);
        } catch {}
    }

    /// @dev Other words than those posted claim nothing.
    function check_OnlyPostedWordsAreClaims(uint256 posted, uint256 shown) public {
        vm.assume(posted != shown);
        _finalBatch(abi.encode(posted), 0);
        try rollup.claim(1, abi.encode(shown), 0) {
            assert(false);
        } catch {}
    }

    /// @dev An account leaves with its balance, once, and only from a frozen rollup.
    function check_AnAccountLeavesOnce(uint32 index, uint256 owner, uint256 funds, bool frozen) public {
        rollup.setFrozen(frozen);
        uint256[8] memory leaf;
        (leaf[2], leaf[3]) = (owner, funds);
        uint256[48] memory siblings;
        rollup.escape(index, leaf, siblings);
        address to = address(uint160(owner));
        assert(frozen && to != address(0) && rollup.owed(to) == uint96(funds) && rollup.hasEscaped(index));
        try rollup.escape(index, leaf, siblings) {
            assert(false);
        } catch {}
    }

    /// @dev One account's leaving is not another's.
    function check_AccountsLeaveApart(uint32 index, uint32 other) public {
        vm.assume(index != other);
        rollup.setFrozen(true);
        uint256[8] memory leaf;
        leaf[2] = uint160(ALICE);
        uint256[48] memory siblings;
        rollup.escape(index, leaf, siblings);
        assert(!rollup.hasEscaped(other));
    }

    /// @dev An item goes back to its sender once, with its amount if it is a deposit, and only if no final batch took it.
    function check_ARefundIsPaidOnce(uint8 kind, uint88 amount, uint64 number, uint64 last, uint64 taken) public {
        vm.assume(taken <= last && number != 0);
        rollup.setFrozen(true);
        Batches.Batch memory made;
        made.lastItem = taken;
        rollup.setBatch(1, made, true);
        rollup.setQueue(number, Queue.Item(uint256(kind) | uint256(amount) << 72, ALICE, 0, false));
        rollup.setQueue(last, number == last ? rollup.item(number) : Queue.Item(0, BOB, 0, false));
        rollup.refund(number);
        assert(number > taken && number <= last);
        assert(rollup.ethOwed(ALICE) == FEE && rollup.owed(ALICE) == (kind == 1 ? amount : 0));
        try rollup.refund(number) {
            assert(false);
        } catch {}
    }
}

/// @dev What comes in.
contract QueueCheck is Symbolic {
    /// @dev A deposit's value is its amount and the fee; the holdings grow by the amount, and the item says it.
    function check_ADepositIsHeld(uint32 index, uint88 amount, uint96 value, uint96 held) public {
        rollup.setDebts(ALICE, 0, held);
        rollup.deposit{value: value}(index, amount);
        assert(uint256(value) == uint256(amount) + FEE && amount != 0);
        assert(rollup.holdings() == uint256(held) + amount && uint256(held) + amount < 1 << 95);
        Queue.Item memory made = rollup.item(1);
        assert(made.word == (1 | uint256(index) << 8 | uint256(amount) << 72) && made.sender == address(this));
    }

    /// @dev An exit costs the fee and brings nothing in.
    function check_AnExitBringsNothingIn(uint32 index, uint88 amount, uint96 value, uint96 held) public {
        rollup.setDebts(ALICE, 0, held);
        rollup.forceExit{value: value}(index, amount);
        assert(value == FEE && rollup.holdings() == held);
        assert(rollup.item(1).word == (2 | uint256(index) << 8 | uint256(amount) << 72));
    }

    /// @dev Deadlines rise by the interval at least, and leave the delay at least.
    function check_DeadlinesRise(uint40 before, uint40 first, uint40 second) public {
        vm.assume(first <= second);
        rollup.setQueue(1, Queue.Item(0, BOB, before, false));
        vm.warp(first);
        rollup.forceExit{value: FEE}(1, 1);
        vm.warp(second);
        rollup.forceExit{value: FEE}(1, 1);
        uint256 a = rollup.item(2).deadline;
        uint256 b = rollup.item(3).deadline;
        assert(a >= uint256(before) + 1 hours && a >= uint256(first) + 1 days);
        assert(b >= a + 1 hours && b >= uint256(second) + 1 days);
        assert(a == uint256(before) + 1 hours || a == uint256(first) + 1 days);
    }

    /// @dev Nobody freezes before a clock has run out, whatever is disputed; and once the cap is over, nothing holds it up.
    function check_TheClocksOfEscape(uint40 pending, uint40 disputed, uint40 deadline, uint40 time) public {
        vm.assume(pending <= time && disputed <= time);
        rollup.setClocks(pending, disputed);
        rollup.setQueue(1, Queue.Item(0, BOB, deadline, false));
        vm.warp(time);
        bool can = rollup.isFreezable();
        bool waits = pending != 0 && time > uint256(pending) + 7 days;
        bool overdue = time > uint256(deadline) + 7 days;
        if (can) assert(waits || overdue);
        if (pending != 0 && time > uint256(pending) + 10 days) assert(can);
        if (time > uint256(deadline) + 10 days) assert(can);
        if (disputed == 0) assert(can == (waits || overdue));
    }
}

/// @dev Bonds: of a proposal and two challenges, whatever they say and however it ends.
contract BondCheck is Symbolic {
    function _reading(bytes32 outcome) private pure returns (BatchReader.Reading memory reading) {
        (reading.kind, reading.outcome, reading.statement) = (3, outcome, new uint256[](3));
    }

    function _disputed(bytes32 proposed, bytes32 first, bytes32 second) private {
        rollup.setFallbackOpen();
        world.tell(_reading(proposed), false);
        vm.deal(ALICE, BOND);
        vm.deal(BOB, BOND);
        vm.deal(CAROL, BOND);
        vm.prank(ALICE, ALICE);
        rollup.propose{value: BOND}(0, "", 0);
        vm.prank(BOB);
        rollup.challenge{value: BOND}(1, first);
        vm.prank(CAROL);
        rollup.challenge{value: BOND}(1, second);
    }

    /// @dev Everyone asks for everything, twice.
    function _claimAll() private {
        for (uint256 i = 0; i < 2; ++i) {
            try rollup.claimProposal(1) {} catch {}
            try rollup.claimChallenge(1, 0) {} catch {}
            try rollup.claimChallenge(1, 1) {} catch {}
        }
    }

    function _owed() private view returns (uint256) {
        return rollup.ethOwed(ALICE) + rollup.ethOwed(BOB) + rollup.ethOwed(CAROL) + rollup.ethOwed(PAYOUT);
    }

    /// @dev A proof of the proposed outcome: the proposer has its bond, both challengers lose theirs.
    function check_AProposalThatWasRight(bytes32 proposed, bytes32 first, bytes32 second) public {
        _disputed(proposed, first, second);
        uint256[] memory statement = new uint256[](3);
        rollup.prove(1, statement, PAYOUT, new uint256[](8));
        _claimAll();
        assert(rollup.ethOwed(ALICE) == BOND && rollup.ethOwed(BOB) == 0 && rollup.ethOwed(CAROL) == 0);
        assert(rollup.ethOwed(PAYOUT) == 2 * (BOND - BOND / 2) && address(0).balance == 2 * (BOND / 2));
    }

    /// @dev A proof of another outcome: the proposer loses, who named it has a bond back and the first of them a share.
    function check_AProposalThatWasWrong(bytes32 proposed, bytes32 right, bytes32 first, bytes32 second) public {
        _disputed(proposed, first, second);
        world.tell(_reading(right), false);
        rollup.settle(1, "", 0, PAYOUT, new uint256[](8));
        _claimAll();
        assert(right != proposed && rollup.ethOwed(ALICE) == 0);
        uint256 share = (BOND - BOND / 2) / 2;
        assert(rollup.ethOwed(BOB) == (first == right ? BOND + share : 0));
        assert(rollup.ethOwed(CAROL) == (second == right ? (first == right ? BOND : BOND + share) : 0));
        assert(_owed() + address(0).balance == 3 * BOND);
    }

    /// @dev Neither: frozen, or the circuit is. Everyone has its bond back.
    function check_AProposalThatIsVoid(bytes32 proposed, bytes32 first, bytes32 second, bool frozen) public {
        _disputed(proposed, first, second);
        if (frozen) {
            rollup.setFrozen(true);
        } else {
            world.tell(_reading(proposed), true);
            rollup.rollback(1);
        }
        _claimAll();
        assert(rollup.ethOwed(ALICE) == BOND && rollup.ethOwed(BOB) == BOND && rollup.ethOwed(CAROL) == BOND);
        assert(address(0).balance == 0);
    }

    /// @dev Undecided: nobody has anything, and nothing becomes final without a proof, however late.
    function check_ADisputeWaitsForItsProof(bytes32 proposed, bytes32 first, bytes32 second, uint40 time) public {
        _disputed(proposed, first, second);
        vm.warp(time);
        _claimAll();
        assert(_owed() == 0 && address(0).balance == 0);
        try rollup.finalize(1) {
            assert(false);
        } catch {}
    }

    /// @dev Unchallenged: final after the window and not before, unless its circuit is frozen; then the bond is back.
    function check_TheWindow(bytes32 proposed, uint40 time, bool circuitFrozen) public {
        vm.assume(time >= NOW);
        rollup.setFallbackOpen();
        world.tell(_reading(proposed), circuitFrozen);
        vm.deal(ALICE, BOND);
        vm.prank(ALICE, ALICE);
        rollup.propose{value: BOND}(0, "", 0);
        vm.warp(time);
        bool done;
        try rollup.finalize(1) {
            done = true;
        } catch {}
        assert(done == (time > NOW + 2 days && !circuitFrozen));
        try rollup.claimProposal(1) {} catch {}
        assert(rollup.ethOwed(ALICE) == (done ? BOND : 0));
    }

    /// @dev The fees of the items that a batch takes go to its payout, once.
    function check_FeesOfABatch(uint64 items, address payout) public {
        Batches.Batch memory made;
        (made.lastItem, made.payout) = (items, payout);
        rollup.setBatch(1, made, false);
        rollup.finalize(1);
        assert(rollup.ethOwed(payout) == uint256(items) * FEE);
        try rollup.finalize(1) {
            assert(false);
        } catch {}
    }
}
