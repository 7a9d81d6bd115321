// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {Managed} from "../src/Managed.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";

/// @dev Who may call what: every restricted function by everyone, and every other one by anyone.
contract RolesTest is RollupTest {
    address[6] private _people = [OPERATOR, GUARDIAN, ROUTER_ADMIN, UPGRADER, ANYONE, address(this)];

    /// @dev The one may; all others, the manager's admin among them, are refused.
    function _only(address who, address target, bytes memory call, bool managed) private {
        for (uint256 i = 0; i < _people.length; ++i) {
            if (_people[i] == who) continue;
            vm.prank(_people[i]);
            (bool ok, bytes memory answer) = target.call(call);
            assertTrue(!ok, "another's");
            bytes4 why = managed ? IAccessManaged.AccessManagedUnauthorized.selector : Managed.Unauthorized.selector;
            assertEq(answer, abi.encodeWithSelector(why, _people[i]));
        }
        vm.prank(who);
        (bool done,) = target.call(call);
        assertTrue(done, "one's own");
    }

    function test_TheOperatorCommitsAndRollsBack() public {
        _only(OPERATOR, address(rollup), _commitCall(_draft(1)), false);
        _only(OPERATOR, address(rollup), abi.encodeCall(rollup.rollback, (1)), false);
        _only(OPERATOR, address(rollup), _commitAndProveCall(_draft(1), PAYOUT), false);
    }

    function test_TheUpgraderAnnouncesAndCancels() public {
        _only(UPGRADER, address(rollup), abi.encodeCall(rollup.announceUpgrade, (ALICE, "")), false);
        _only(UPGRADER, address(rollup), abi.encodeCall(rollup.cancelUpgrade, ()), false);
    }

    function test_TheRoutersAdminAnnouncesAndCancels() public {
        IVerifierRouter.Route memory route = _route(BatchData.CALLDATA, false);
        _only(ROUTER_ADMIN, address(router), abi.encodeCall(router.announce, (route)), true);
        _only(ROUTER_ADMIN, address(router), abi.encodeCall(router.cancel, (router.selectorOf(route))), true);
    }

    function test_TheGuardianFreezesAndNothingElse() public {
        _only(GUARDIAN, address(router), abi.encodeCall(router.freeze, (selectors[0])), true);
    }

    /// @dev Everything else is anyone's: prove, finalize, fallback, money, escape.
    function test_TheRestIsAnyones() public {
        Draft memory first = _draft(1);
        _commit(first);
        _do(ANYONE, _proveCall(first, PAYOUT));
        _do(ANYONE, abi.encodeCall(rollup.finalize, (1)));
        _do(ANYONE, 5 + FEE, abi.encodeCall(rollup.deposit, (7, 5)));
        _do(ANYONE, FEE, abi.encodeCall(rollup.forceExit, (7, 5)));
        _do(ANYONE, FEE, abi.encodeCall(rollup.forceTransfer, (7, 8, 5)));
        _openFallback();
        Draft memory full = _draft(BatchData.FULL, 2, _sections(3, 0, 0, 0));
        _do(ANYONE, BOND, _proposeCall(full));
        _do(ANYONE, BOND, abi.encodeCall(rollup.challenge, (1, bytes32(0))));
        _do(ANYONE, _proveCall(full, PAYOUT));
        _do(ANYONE, abi.encodeCall(rollup.finalize, (2)));
        _do(ANYONE, abi.encodeCall(rollup.claimProposal, (1)));
        _do(ANYONE, abi.encodeCall(rollup.claimChallenge, (1, 0)));
        _do(ANYONE, abi.encodeCall(rollup.collect, (PAYOUT)));
        vm.warp(block.timestamp + ESCAPE_DELAY + 1);
        _do(ANYONE, abi.encodeCall(rollup.freeze, ()));
    }

    /// @dev A role with a delay goes through the manager: announced there, and everyone sees it coming.
    function test_ARoleWithADelay() public {
        manager.revokeRole(OPERATOR_ROLE, OPERATOR);
        manager.grantRole(OPERATOR_ROLE, BOB, 1 days);
        bytes memory call = abi.encodeCall(rollup.cancelUpgrade, ());
        bytes4[] memory functions = new bytes4[](1);
        functions[0] = rollup.cancelUpgrade.selector;
        manager.setTargetFunctionRole(address(rollup), functions, OPERATOR_ROLE);
        _refused(BOB, call, abi.encodeWithSelector(Managed.Unauthorized.selector, BOB));
        vm.prank(BOB);
        (bytes32 id,) = manager.schedule(address(rollup), call, 0);
        vm.warp(NOW + 1 days - 1);
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, id));
        manager.execute(address(rollup), call);
        vm.warp(NOW + 1 days);
        vm.prank(BOB);
        manager.execute(address(rollup), call);
        // The manager is not let in by itself.
        _refused(address(manager), call, abi.encodeWithSelector(Managed.Unauthorized.selector, address(manager)));
    }

    function test_ARoleTakenAway() public {
        manager.revokeRole(OPERATOR_ROLE, OPERATOR);
        _expectCommitRevert(_draft(1), abi.encodeWithSelector(Managed.Unauthorized.selector, OPERATOR));
        manager.grantRole(OPERATOR_ROLE, BOB, 0);
        _do(BOB, _commitCall(_draft(1)));
    }
}
