// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev Everybody around a rollup, with an operator whose batches are honest about money: what accounts hold is kept
/// as one sum, which deposits raise and claims lower. The verifier takes every proof, so honesty is the model's.
contract Participants is RollupTest {
    address internal constant BOB = address(0xb0b);
    /// @dev A receiver that takes nothing.
    address public immutable REFUSER = address(new Refuser());

    uint256 public deposited;
    uint256 public paid;
    uint256 public refused;
    uint256 public rollbacks;
    /// @dev What accounts hold after each batch, and its data.
    uint256[] public held;
    bytes[] private _datas;
    BatchData.Sections[] private _useds;

    constructor() {
        setUp();
        held.push(0);
        _datas.push("");
        _useds.push(_sections(0, 0, 0, 0));
    }

    function rollupAddress() external view returns (address) {
        return address(rollup);
    }

    // -- what people do ---------------------------------------------------------------------------------------------

    function deposit(uint256 value, uint32 index) external {
        value = bound(value, 1, 10 ether);
        vm.deal(BOB, BOB.balance + value);
        vm.prank(BOB);
        rollup.deposit{value: value}(index);
        deposited += value;
    }

    function forceExit(uint256 amount, uint32 index) external {
        vm.prank(BOB);
        rollup.forceExit(index, uint88(bound(amount, 1, 20 ether)));
    }

    // -- what the operator and provers do -----------------------------------------------------------------------------

    function commitBatch(uint256 seed) external {
        uint256 number = rollup.committedBatches() + 1;
        uint256 waiting = rollup.queuedItems() - rollup.committedQueue();
        BatchData.Sections memory used = _sections(bound(seed, 0, waiting < 4 ? waiting : 4), 0, seed >> 8 & 1, 0);
        uint256[] memory words = _words(number, used);
        uint256[] memory items = rollup.queueWords(rollup.committedQueue() + 1, used.queue);
        uint256 sum = held[number - 1];
        for (uint256 i = 0; i < used.queue; ++i) {
            (words[10 + i], sum) = _result(items[2 * i], seed >> (16 + i), sum);
        }
        if (used.transfers == 1) {
            uint256 amount = bound(seed, 0, sum);
            sum -= amount;
            words[11 + used.queue] = _claimWord(seed >> 9 & 1 == 1 ? REFUSER : ALICE, amount);
        }
        bytes memory data = abi.encodePacked(words);
        _commit(number, data);
        while (held.length > number) {
            held.pop();
            _datas.pop();
            _useds.pop();
        }
        held.push(sum);
        _datas.push(data);
        _useds.push(used);
    }

    /// @dev The result of a deposit or an exit, and what accounts hold after it.
    function _result(uint256 item, uint256 seed, uint256 sum) private pure returns (uint256, uint256) {
        uint256 amount = item >> 72;
        bool valid = seed & 1 == 1;
        if (item & 0xff == 1) return valid ? (uint256(0), sum + amount) : (_claimWord(BOB, amount), sum);
        if (amount > sum) amount = sum;
        return valid ? (_claimWord(BOB, amount), sum - amount) : (uint256(0), sum);
    }

    function proveBatch() external {
        uint256 number = rollup.provenBatches() + 1;
        if (number > rollup.committedBatches()) return;
        uint256[] memory items = rollup.queueWords(rollup.provenQueue() + 1, _useds[number].queue);
        _prove(number, _datas[number], items, _useds[number]);
    }

    function finalizeBatches() external {
        if (rollup.finalizedBatches() < rollup.provenBatches()) rollup.finalize(rollup.provenBatches());
    }

    function rollBack(uint256 seed) external {
        (uint256 proven, uint256 committed) = (rollup.provenBatches(), rollup.committedBatches());
        if (proven == committed || seed & 3 != 0) return;
        vm.prank(OPERATOR);
        rollup.rollback(bound(seed, proven + 1, committed));
        ++rollbacks;
    }

    /// @dev Asks for any word of any final batch, claims or not, paid or not.
    function claim(uint256 batchSeed, uint256 word) external {
        if (rollup.finalizedBatches() == 0) return;
        uint256 number = bound(batchSeed, 1, rollup.finalizedBatches());
        word = bound(word, 0, _useds[number].queue + 2 * _useds[number].transfers);
        uint256 before = address(rollup).balance;
        try rollup.claim(number, _section(number), word) {
            paid += before - address(rollup).balance;
        } catch {
            ++refused;
        }
    }

    // -- what there is ------------------------------------------------------------------------------------------------

    function _section(uint256 number) private view returns (bytes memory section) {
        bytes memory data = _datas[number];
        section = new bytes(data.length - 320);
        for (uint256 i = 0; i < section.length; ++i) {
            section[i] = data[320 + i];
        }
    }

    /// @dev Claims of final batches that have not been paid.
    function unpaid() external view returns (uint256 sum) {
        for (uint256 number = 1; number <= rollup.finalizedBatches(); ++number) {
            uint256[] memory words = _toWords(_section(number));
            for (uint256 i = 0; i < words.length; ++i) {
                bool canBe = i < _useds[number].queue || i == words.length - 1;
                if (canBe && words[i] >> 88 != 0 && !rollup.isPaid(number, i)) sum += words[i] & type(uint88).max;
            }
        }
    }

    /// @dev Deposits that no final batch has taken.
    function pending() external view returns (uint256 sum) {
        uint256 first = rollup.finalizedQueue() + 1;
        uint256[] memory items = rollup.queueWords(first, rollup.queuedItems() + 1 - first);
        for (uint256 i = 0; i < items.length; i += 2) {
            if (items[i] & 0xff == 1) sum += items[i] >> 72;
        }
    }

    function heldByAccounts() external view returns (uint256) {
        return held[rollup.finalizedBatches()];
    }

    /// @dev BOB's own money went into deposits; what is there came out again. ALICE began with a thousand ether.
    function received() external view returns (uint256) {
        return BOB.balance + ALICE.balance - 1_000 ether;
    }
}

contract Refuser {}

contract ConservationTest is RollupTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Participants private _people;

    function setUp() public override {
        _people = new Participants();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_people);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = Participants.deposit.selector;
        selectors[1] = Participants.forceExit.selector;
        selectors[2] = Participants.commitBatch.selector;
        selectors[3] = Participants.proveBatch.selector;
        selectors[4] = Participants.finalizeBatches.selector;
        selectors[5] = Participants.rollBack.selector;
        selectors[6] = Participants.claim.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_people), selectors);
    }

    /// @dev What the contract holds is what came in less what was paid, and that went to receivers.
    function invariant_HoldingsAreDepositsLessPayments() public view {
        assertEq(_people.rollupAddress().balance, _people.deposited() - _people.paid());
        assertEq(_people.received(), _people.paid());
    }

    /// @dev And it is to the wei what is owed: to accounts, to claims, and to deposits under way.
    function invariant_HoldingsAreWhatIsOwed() public view {
        assertEq(_people.rollupAddress().balance, _people.heldByAccounts() + _people.unpaid() + _people.pending());
    }

    /// @dev The people above do reach payments, refusals and rollbacks, so that the invariants speak of something.
    function test_TheModelReachesEverything() public {
        for (uint256 seed = 1; seed < 400; ++seed) {
            uint256 random = uint256(keccak256(abi.encode(seed)));
            uint256 step = random % 7;
            if (step == 0) _people.deposit(random, 1);
            if (step == 1) _people.forceExit(random, 1);
            if (step == 2) _people.commitBatch(random >> 8);
            if (step == 3) _people.proveBatch();
            if (step == 4) _people.finalizeBatches();
            if (step == 5) _people.rollBack(random >> 8);
            if (step == 6) _people.claim(random >> 8, random >> 64);
        }
        invariant_HoldingsAreDepositsLessPayments();
        invariant_HoldingsAreWhatIsOwed();
        assertTrue(_people.paid() > 0 && _people.refused() > 0 && _people.rollbacks() > 0, "nothing happened");
        assertTrue(_people.heldByAccounts() > 0 && _people.unpaid() > 0, "nothing is left");
    }
}
