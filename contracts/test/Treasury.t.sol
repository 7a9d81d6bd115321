// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Parameters} from "../src/Parameters.sol";
import {Treasury} from "../src/Treasury.sol";
import {Receiver, Refuser, Verbose} from "./Mocks.sol";
import {RollupTest} from "./RollupTest.sol";
import {FalseToken, FeeToken, HookToken, Hooked, PlainToken, SilentToken} from "./Tokens.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

contract TreasuryTest is RollupTest {
    function _withdraw(address to) private {
        _do(ANYONE, abi.encodeCall(rollup.withdraw, (to)));
    }

    function _withdrawRefused(address to, bytes memory why) private {
        _refused(abi.encodeCall(rollup.withdraw, (to)), why);
    }

    function _nextDay() private view returns (uint256) {
        return (block.timestamp / 1 days + 1) * 1 days;
    }

    function test_WithdrawPaysWhatIsOwed() public {
        _deposit(ALICE, 7, 4 ether);
        _owe(BOB, 3 ether);
        assertEq(rollup.owed(BOB), 3 ether);
        uint256 before = BOB.balance;
        vm.expectEmit();
        emit Treasury.Withdrawn(BOB, 3 ether);
        _withdraw(BOB);
        assertEq(BOB.balance, before + 3 ether);
        assertEq(rollup.owed(BOB), 0);
        assertEq(rollup.holdings(), 1 ether);
        assertEq(address(rollup).balance, 1 ether + FEE);
        assertEq(ANYONE.balance, 0);
    }

    function test_NothingOwed() public {
        _deposit(ALICE, 7, 4 ether);
        bytes memory why = abi.encodeWithSelector(Treasury.NothingOwed.selector, BOB);
        _withdrawRefused(BOB, why);
        _refused(abi.encodeCall(rollup.collect, (BOB)), why);
        _owe(BOB, 1);
        _withdraw(BOB);
        _withdrawRefused(BOB, why);
    }

    // -- the rate -----------------------------------------------------------------------------------------------------

    /// @dev A tenth of what is held at the day's first withdrawal, to the second.
    function test_ADayEndsAtItsBoundary() public {
        _deposit(ALICE, 7, 100 ether);
        _owe(BOB, 30 ether);
        vm.warp(_nextDay());
        uint256 today = block.timestamp;
        assertEq(rollup.withdrawable(), 10 ether);
        uint256 before = BOB.balance;
        _withdraw(BOB);
        assertEq(BOB.balance - before, 10 ether);
        assertEq(rollup.owed(BOB), 20 ether);
        assertEq(rollup.withdrawable(), 0);
        bytes memory why = abi.encodeWithSelector(Treasury.RateExceeded.selector, today + 1 days);
        _withdrawRefused(BOB, why);
        vm.warp(today + 1 days - 1);
        _withdrawRefused(BOB, why);
        vm.warp(today + 1 days);
        assertEq(rollup.withdrawable(), 9 ether);
        _withdraw(BOB);
        assertEq(BOB.balance - before, 19 ether);
        vm.warp(today + 3 days);
        assertEq(rollup.withdrawable(), 8.1 ether);
        _withdraw(BOB);
        assertEq(BOB.balance - before, 27.1 ether);
        vm.warp(today + 4 days);
        _withdraw(BOB);
        assertEq(BOB.balance - before, 30 ether);
        assertEq(rollup.withdrawable(), 7.29 ether - 2.9 ether);
    }

    /// @dev What comes in or is asked for later that day does not raise the day's limit, nor does a part of it.
    function test_ADaysLimitIsThatOfItsFirstWithdrawal() public {
        _deposit(ALICE, 7, 100 ether);
        _owe(BOB, 1 ether);
        _owe(ALICE, 50 ether);
        vm.warp(_nextDay());
        _withdraw(BOB);
        assertEq(rollup.withdrawable(), 9 ether);
        _deposit(ALICE, 7, 1_000 ether);
        assertEq(rollup.withdrawable(), 9 ether);
        _withdraw(ALICE);
        assertEq(rollup.owed(ALICE), 41 ether);
        _withdrawRefused(ALICE, abi.encodeWithSelector(Treasury.RateExceeded.selector, _nextDay()));
        vm.warp(_nextDay());
        assertEq(rollup.withdrawable(), 109 ether);
    }

    function test_TheFloorIsPaidHoweverLittleIsHeld() public {
        _deposit(ALICE, 7, 6 ether);
        _owe(BOB, 6 ether);
        vm.warp(_nextDay());
        assertEq(rollup.withdrawable(), RATE_FLOOR);
        _withdraw(BOB);
        assertEq(rollup.owed(BOB), 1 ether);
        vm.warp(_nextDay());
        _withdraw(BOB);
        assertEq(rollup.owed(BOB) + rollup.holdings(), 0);
    }

    /// @dev Whatever is owed to whom, and whoever is first each day: all are paid in full, no day pays more than its limit,
    /// and it takes no more days than the floor alone would.
    function testFuzz_EveryoneIsPaidInTheEnd(uint64[4] memory amounts, uint256 seed) public {
        uint256 sum = 0;
        address[4] memory people = [ALICE, BOB, ANYONE, PAYOUT];
        uint256[4] memory before;
        _deposit(ALICE, 7, 4 << 64);
        for (uint256 i = 0; i < 4; ++i) {
            _owe(people[i], amounts[i]);
            sum += amounts[i];
            before[i] = people[i].balance;
        }
        uint256 day = 0;
        for (uint256 paid = 0; paid < sum; ++day) {
            assertTrue(day <= sum / RATE_FLOOR + 1, "too many days");
            vm.warp(_nextDay());
            uint256 limit = rollup.withdrawable();
            uint256 held = rollup.holdings();
            for (uint256 i = 0; i < 4; ++i) {
                address who = people[(seed >> day) % 4 ^ i];
                if (rollup.owed(who) != 0 && rollup.withdrawable() != 0) rollup.withdraw(who);
            }
            uint256 today = held - rollup.holdings();
            assertTrue(today <= limit, "more than the day's limit");
            assertTrue(today == limit || paid + today == sum, "less than could be");
            paid += today;
        }
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(people[i].balance - before[i], amounts[i]);
        }
    }

    // -- receivers ----------------------------------------------------------------------------------------------------

    /// @dev A receiver on whose way each of these is tried: it gets its due once, and nothing else happens.
    function test_AReentrantReceiverIsPaidOnce() public {
        Receiver receiver = new Receiver(address(rollup));
        _deposit(ALICE, 7, 100 ether);
        _owe(address(receiver), 1 ether);
        vm.deal(address(receiver), 10 ether);
        bytes[4] memory calls = [
            abi.encodeCall(rollup.withdraw, (address(receiver))),
            abi.encodeCall(rollup.collect, (address(receiver))),
            abi.encodeCall(rollup.deposit, (7, 1)),
            abi.encodeCall(rollup.claimChallenge, (1, 0))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 before = vm.snapshotState();
            receiver.prepare(calls[i]);
            _withdraw(address(receiver));
            assertTrue(!receiver.succeeded(), "refused on the way");
            assertEq(receiver.answer(), _error(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
            assertEq(address(receiver).balance, 11 ether);
            assertEq(rollup.owed(address(receiver)), 0);
            assertEq(rollup.holdings(), 99 ether);
            vm.revertToState(before);
        }
    }

    /// @dev The same of fees.
    function test_AReentrantReceiverCollectsOnce() public {
        Receiver receiver = new Receiver(address(rollup));
        _deposit(ALICE, 7, 100 ether);
        _feesFor(address(receiver));
        bytes[2] memory calls =
            [abi.encodeCall(rollup.collect, (address(receiver))), abi.encodeCall(rollup.withdraw, (address(receiver)))];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = vm.snapshotState();
            receiver.prepare(calls[i]);
            rollup.collect(address(receiver));
            assertEq(receiver.answer(), _error(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
            assertEq(address(receiver).balance, FEE);
            assertEq(rollup.ethOwed(address(receiver)), 0);
            vm.revertToState(before);
        }
    }

    /// @dev The next batch takes one item, and its proof pays somebody.
    function _feesFor(address payout) private {
        uint256 number = rollup.committedBatches() + 1;
        _commit(_draft(0, number, _sections(1, 0, 0, 0)));
        _do(ANYONE, _proveCall(_draft(0, number, _sections(1, 0, 0, 0)), payout));
        rollup.finalize(number);
    }

    function test_AReceiverThatRefusesKeepsItsDueAndBlocksNobody() public {
        Receiver receiver = new Receiver(address(rollup));
        _deposit(ALICE, 7, 100 ether);
        _feesFor(address(receiver));
        _owe(address(receiver), 1 ether);
        _owe(BOB, 1 ether);
        bytes memory why = abi.encodeWithSelector(Treasury.PaymentFailed.selector, address(receiver), 1 ether);
        _withdrawRefused(address(receiver), why);
        why = abi.encodeWithSelector(Treasury.PaymentFailed.selector, address(receiver), FEE);
        _refused(abi.encodeCall(rollup.collect, (address(receiver))), why);
        assertEq(rollup.owed(address(receiver)), 1 ether);
        assertEq(rollup.ethOwed(address(receiver)), FEE);
        _withdraw(BOB);
        receiver.prepare("");
        _withdraw(address(receiver));
        rollup.collect(address(receiver));
        assertEq(address(receiver).balance, 1 ether + FEE);
    }

    function test_WhatTheReceiverAnswersIsNotCopied() public {
        _deposit(ALICE, 7, 100 ether);
        address verbose = address(new Verbose());
        _owe(verbose, 1 ether);
        uint256 before = gasleft();
        rollup.withdraw{gas: 4_000_000}(verbose); // the answer's memory costs the receiver 2.1 million
        assertTrue(before - gasleft() < 2_500_000, "and the caller nothing");
        assertEq(verbose.balance, 1 ether);
    }

    function test_AContractThatTakesNothing() public {
        _deposit(ALICE, 7, 100 ether);
        address refuser = address(new Refuser());
        _owe(refuser, 1 ether);
        _withdrawRefused(refuser, abi.encodeWithSelector(Treasury.PaymentFailed.selector, refuser, 1 ether));
    }

    /// @dev A genesis with balances that nobody backed could promise more than there is: what there is is paid.
    function test_MoreThanThereIsIsNotPaid() public {
        _deposit(ALICE, 7, 1 ether);
        _owe(BOB, 2 ether);
        _owe(ALICE, 1 ether);
        // panic: arithmetic underflow
        _withdrawRefused(BOB, abi.encodeWithSelector(bytes4(keccak256("Panic(uint256)")), 0x11));
        _withdraw(ALICE);
        assertEq(rollup.holdings(), 0);
    }

    /// @dev Coin that comes in past the contract's back belongs to nobody, and changes no account.
    function test_ForcedCoinChangesNothing() public {
        _deposit(ALICE, 7, 1 ether);
        vm.deal(address(rollup), address(rollup).balance + 5 ether);
        assertEq(rollup.holdings(), 1 ether);
        _owe(BOB, 1 ether);
        _withdraw(BOB);
        assertEq(address(rollup).balance, 5 ether + FEE);
    }
}

/// @dev The same with an ERC-20: the fee is coin, the amount is token.
contract TokenTest is RollupTest, Hooked {
    bytes private _onTransfer;
    bytes private _answer;
    bool private _succeeded;

    receive() external payable {}

    function _with(address token) private {
        Parameters memory p = _parameters();
        p.asset = token;
        rollup = _deploy(p);
    }

    function _approve(address token) private {
        PlainToken(token).mint(ALICE, 100 ether);
        vm.prank(ALICE);
        (bool ok,) = token.call(abi.encodeCall(IERC20.approve, (address(rollup), type(uint256).max)));
        assertTrue(ok, "approved");
    }

    function _depositCall() private view returns (bytes memory) {
        return abi.encodeCall(rollup.deposit, (7, 10 ether));
    }

    /// @dev In and out again, the same of every token that does what it is told.
    function _inAndOut(address token) private {
        _with(token);
        _approve(token);
        _do(ALICE, FEE, _depositCall());
        assertEq(rollup.holdings(), 10 ether);
        assertEq(address(rollup).balance, FEE);
        assertEq(PlainToken(token).balanceOf(address(rollup)), 10 ether);
        _owe(BOB, 7 ether);
        vm.warp((block.timestamp / 1 days + 1) * 1 days);
        uint256 coins = BOB.balance;
        rollup.withdraw(BOB);
        assertEq(PlainToken(token).balanceOf(BOB), 5 ether);
        vm.warp(block.timestamp + 1 days);
        rollup.withdraw(BOB);
        assertEq(PlainToken(token).balanceOf(BOB), 7 ether);
        assertEq(rollup.holdings(), 3 ether);
        assertEq(BOB.balance, coins);
    }

    function test_APlainToken() public {
        _inAndOut(address(new PlainToken()));
    }

    function test_ATokenThatAnswersNothing() public {
        _inAndOut(address(new SilentToken()));
    }

    function test_ATokenThatKeepsAFeeIsRefused() public {
        address token = address(new FeeToken());
        _with(token);
        _approve(token);
        bytes memory why = abi.encodeWithSelector(Treasury.AmountReceivedWrong.selector, 10 ether, 9.9 ether);
        _refused(ALICE, FEE, _depositCall(), why);
        assertEq(rollup.holdings() + rollup.queuedItems(), 0);
    }

    function test_ATokenThatAnswersFalse() public {
        FalseToken token = new FalseToken();
        _with(address(token));
        _approve(address(token));
        bytes memory why = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        token.setRefuses(true);
        _refused(ALICE, FEE, _depositCall(), why);
        token.setRefuses(false);
        _do(ALICE, FEE, _depositCall());
        _owe(BOB, 1 ether);
        token.setRefuses(true);
        _refused(abi.encodeCall(rollup.withdraw, (BOB)), why);
        assertEq(rollup.owed(BOB), 1 ether);
        assertEq(rollup.holdings(), 10 ether);
    }

    function test_WithoutAllowance() public {
        _with(address(new PlainToken()));
        bytes memory why =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(rollup), 0, 10 ether);
        _refused(ALICE, FEE, _depositCall(), why);
    }

    /// @dev Coin beyond the fee would be nobody's.
    function test_NoMoreCoinThanTheFee() public {
        address token = address(new PlainToken());
        _with(token);
        _approve(token);
        _refused(ALICE, FEE + 1, _depositCall(), abi.encodeWithSelector(Treasury.ValueWrong.selector, 0, 1));
        _refused(ALICE, FEE - 1, _depositCall(), abi.encodeWithSelector(Treasury.ValueWrong.selector, FEE, FEE - 1));
    }

    function beforeTransfer() external {
        if (_onTransfer.length == 0) return;
        bytes memory call_ = _onTransfer;
        _onTransfer = "";
        (_succeeded, _answer) = address(rollup).call{value: bytes4(call_) == rollup.deposit.selector ? FEE : 0}(call_);
    }

    /// @dev While a token moves, nothing else of the money does.
    function test_AHookReachesNoMoney() public {
        HookToken token = new HookToken();
        _with(address(token));
        _approve(address(token));
        token.setHook(address(this));
        vm.deal(address(this), 1 ether);
        _do(ALICE, FEE, _depositCall());
        _owe(BOB, 2 ether);
        bytes memory why = _error(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        bytes[4] memory inner = [
            _depositCall(),
            abi.encodeCall(rollup.withdraw, (BOB)),
            abi.encodeCall(rollup.collect, (PAYOUT)),
            abi.encodeCall(rollup.claimChallenge, (1, 0))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 before = vm.snapshotState();
            _onTransfer = inner[i];
            _do(ALICE, FEE, _depositCall());
            assertTrue(!_succeeded, "refused on the way in");
            assertEq(_answer, why);
            _onTransfer = inner[i];
            rollup.withdraw(BOB);
            assertTrue(!_succeeded, "refused on the way out");
            assertEq(_answer, why);
            assertEq(rollup.holdings(), 18 ether);
            assertEq(token.balanceOf(address(rollup)), 18 ether);
            assertEq(rollup.queuedItems(), 2);
            vm.revertToState(before);
        }
    }

    /// @dev A sender who pays more in from a hook does not make the rollup believe it was the deposit.
    function test_AHookThatSendsMore() public {
        HookToken token = new HookToken();
        _with(address(token));
        _approve(address(token));
        More more = new More(token, address(rollup));
        token.mint(address(more), 1);
        token.setHook(address(more));
        bytes memory why = abi.encodeWithSelector(Treasury.AmountReceivedWrong.selector, 10 ether, 10 ether + 1);
        _refused(ALICE, FEE, _depositCall(), why);
    }
}

/// @dev Sends the rollup one more, once.
contract More is Hooked {
    HookToken private immutable TOKEN;
    address private immutable TO;

    constructor(HookToken token, address to) {
        (TOKEN, TO) = (token, to);
    }

    function beforeTransfer() external {
        TOKEN.setHook(address(0));
        TOKEN.transfer(TO, 1);
    }
}
