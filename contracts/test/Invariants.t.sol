// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {Test} from "./Test.sol";
import {World} from "./World.sol";

/// @dev docs/protocol.md, "Invariants", as far as a contract can show them, whatever everybody in `World` does in whatever
/// order. What concerns the order of things, wrong roots among them, `World` checks at each step.
abstract contract InvariantsTest is Test {
    uint256 private constant BOND = 1 ether + 1;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    World private _world;
    AitbcRollup private _rollup;

    /// @dev Whether the asset is an ERC-20.
    function _withToken() internal pure virtual returns (bool);

    function setUp() public {
        _world = new World(_withToken());
        _rollup = AitbcRollup(_world.rollupAddress());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_world);
    }

    function _steps() private pure returns (bytes4[24] memory) {
        return [
            World.deposit.selector,
            World.forceExit.selector,
            World.forceTransfer.selector,
            World.claim.selector,
            World.withdraw.selector,
            World.collect.selector,
            World.commitBatch.selector,
            World.commitBatch.selector,
            World.commitAndProveBatch.selector,
            World.proveBatch.selector,
            World.proveBatch.selector,
            World.finalizeBatches.selector,
            World.rollBack.selector,
            World.openFallback.selector,
            World.propose.selector,
            World.propose.selector,
            World.challenge.selector,
            World.settle.selector,
            World.claimStake.selector,
            World.pass.selector,
            World.freezeCircuit.selector,
            World.freeze.selector,
            World.escape.selector,
            World.refund.selector
        ];
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](24);
        for (uint256 i = 0; i < 24; ++i) {
            selectors[i] = _steps()[i];
        }
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_world), selectors);
    }

    function invariant_Money() public view {
        _holdingsAreWhatIsOwed();
        _coinsAreAccountedFor();
    }

    /// @dev Value in = value out + what is held, and that is to the wei what accounts hold under the final root, claims not
    /// made, debts not paid, and deposits under way.
    function _holdingsAreWhatIsOwed() private view {
        assertEq(_world.depositedValue(), _world.paidValue() + _rollup.holdings());
        (uint256 owed,) = _world.owed();
        (uint256 pending,) = _world.pending();
        assertEq(_rollup.holdings(), _world.heldByAccounts() + _world.unclaimedValue() + owed + pending);
    }

    /// @dev The contract's coin is the holdings, what is owed of fees and bonds, open bonds, and fees of items that are not
    /// final. Nobody gets more out of bonds than went in: of each lost one half is burned.
    function _coinsAreAccountedFor() private view {
        (, uint256 coins) = _world.owed();
        (, uint256 fees) = _world.pending();
        (uint256 open, uint256 lost) = _world.bonds();
        uint256 rest = coins + open + fees;
        assertEq(_world.assetOf(address(_rollup)), _rollup.holdings() + (_withToken() ? 0 : rest));
        assertEq(address(_rollup).balance, rest + (_withToken() ? 0 : _rollup.holdings()));
        assertEq(address(0).balance, lost * (BOND / 2));
        assertEq(_world.coinsIn(), _world.coinsOut() + address(0).balance + rest);
    }

    /// @dev However it went, everyone leaves with what is theirs, once: afterwards there is nothing left.
    function afterInvariant() public {
        _world.windUp();
        assertEq(_rollup.holdings() + _world.assetOf(address(_rollup)) + address(_rollup).balance, 0);
        assertEq(_world.paidValue(), _world.depositedValue());
        assertEq(_world.coinsIn(), _world.coinsOut() + address(0).balance);
    }

    /// @dev The people above do reach all this, so that the invariants speak of something.
    function test_TheWorldReachesEverything() public {
        bytes32[14] memory reached = [
            bytes32("claimed"),
            "withdrawn",
            "collected",
            "proven",
            "finalized",
            "rolled back",
            "opened",
            "proposed",
            "challenged",
            "settled",
            "optimistic or proven proposal",
            "staked out",
            "circuits frozen",
            "frozen"
        ];
        uint256[16] memory total;
        for (uint256 run = 0; run < 6; ++run) {
            setUp();
            vm.deal(address(0), 0);
            for (uint256 i = 0; i < 400; ++i) {
                _anyStep(uint256(keccak256(abi.encode(run, i))));
            }
            invariant_Money();
            for (uint256 i = 0; i < reached.length; ++i) {
                total[i] += _world.count(reached[i]);
            }
            total[14] += _world.count("escaped");
            total[15] += _world.count("refunded");
            afterInvariant();
        }
        for (uint256 i = 0; i < 16; ++i) {
            assertTrue(total[i] > 0, i < 14 ? string(abi.encodePacked(reached[i])) : "nobody left");
        }
    }

    function _anyStep(uint256 random) private {
        bytes4 selector = _steps()[random % 24];
        bytes32 a = keccak256(abi.encode(random, 1));
        (bool ok,) = address(_world)
            .call(abi.encodeWithSelector(selector, a, uint32(uint256(a)), uint32(uint256(a) >> 32), uint256(a) >> 64));
        assertTrue(ok, "a step fails by an assertion alone");
    }
}

contract CoinInvariantsTest is InvariantsTest {
    function _withToken() internal pure override returns (bool) {
        return false;
    }
}

/// forge-config: default.invariant.runs = 64
contract TokenInvariantsTest is InvariantsTest {
    function _withToken() internal pure override returns (bool) {
        return true;
    }
}
