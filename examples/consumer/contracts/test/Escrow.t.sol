// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Escrow} from "../Escrow.sol";
import {RollupStub} from "./RollupStub.sol";

/// @dev Of forge's cheat codes those used here; https://getfoundry.sh/reference/cheatcodes/overview
interface Vm {
    function expectRevert(bytes calldata data) external;
    function warp(uint256 timestamp) external;
}

contract EscrowTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant PAYEE = address(0xA11CE);
    uint256 private constant DEADLINE = 1_000_000;

    RollupStub private rollup;
    Escrow private escrow;

    receive() external payable {}

    function setUp() public {
        vm.warp(DEADLINE - 1000);
        rollup = new RollupStub();
        escrow = new Escrow{value: 1 ether}(rollup, PAYEE, 2, 42, DEADLINE);
    }

    function test_paysThePayeeWhenTheBatchIsFinal() public {
        rollup.finalize(7);
        vm.expectRevert(abi.encodeWithSelector(Escrow.NotYet.selector));
        escrow.release();
        rollup.finalize(42);
        vm.expectRevert(abi.encodeWithSelector(Escrow.DecidedOtherwise.selector, 42));
        escrow.refund();
        escrow.release();
        assert(PAYEE.balance == 1 ether && address(escrow).balance == 0);
    }

    function test_theRootOfAnotherBatchDecidesNothing() public {
        rollup.finalize(42);
        vm.expectRevert(abi.encodeWithSelector(Escrow.NotYet.selector));
        escrow.release();
    }

    function test_paysThePayerBackWhenTheRootIsAnother() public {
        rollup.finalize(7);
        rollup.finalize(43);
        vm.expectRevert(abi.encodeWithSelector(Escrow.DecidedOtherwise.selector, 43));
        escrow.release();
        uint256 before = address(this).balance;
        escrow.refund();
        assert(address(this).balance == before + 1 ether);
    }

    function test_paysThePayerBackAtTheDeadline() public {
        vm.expectRevert(abi.encodeWithSelector(Escrow.NotYet.selector));
        escrow.refund();
        vm.warp(DEADLINE);
        escrow.refund();
        assert(escrow.settled() && PAYEE.balance == 0);
    }

    function test_paysOnce() public {
        rollup.finalize(7);
        rollup.finalize(42);
        escrow.release();
        vm.expectRevert(abi.encodeWithSelector(Escrow.SettledAlready.selector));
        escrow.release();
    }

    function test_aLateBatchStillPaysThePayee() public {
        rollup.finalize(7);
        rollup.finalize(42);
        vm.warp(DEADLINE + 1);
        escrow.release();
        assert(PAYEE.balance == 1 ether);
    }

    /// @dev Whatever the roots and the time, at most one side is paid, and the payee only by the agreed root.
    function testFuzz_oneSideAtMost(uint256[2] calldata roots, uint8 count, uint256 time) public {
        for (uint256 i = 0; i < count % 3; ++i) {
            rollup.finalize(roots[i]);
        }
        vm.warp(time);
        bool final_ = rollup.finalizedBatches() == 2;
        (bool released,) = address(escrow).call(abi.encodeCall(Escrow.release, ()));
        (bool refunded,) = address(escrow).call(abi.encodeCall(Escrow.refund, ()));
        assert(released == (final_ && roots[1] == 42));
        assert(refunded == (final_ ? roots[1] != 42 : time >= DEADLINE));
    }
}
