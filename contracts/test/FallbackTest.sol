// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev What these tests of the fallback share: full batches, wrong ones, and the one who proposes them.
abstract contract FallbackTest is RollupTest {
    address internal constant PROPOSER = address(0x9909);

    function _full(uint256 number) internal view returns (Draft memory) {
        return _draft(BatchData.FULL, number);
    }

    /// @dev The same inputs with another root, and so another outcome.
    function _wrong(uint256 number) internal view returns (Draft memory draft) {
        draft = _full(number);
        draft.words[9] = 1_000 + number;
    }

    function _openCall() internal view returns (bytes memory) {
        return abi.encodeCall(rollup.openFallback, ());
    }

    function _challengeCall(uint256 id, bytes32 outcome) internal view returns (bytes memory) {
        return abi.encodeCall(rollup.challenge, (id, outcome));
    }

    function _finalizeCall(uint256 number) internal view returns (bytes memory) {
        return abi.encodeCall(rollup.finalize, (number));
    }

    function _window() internal {
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
    }

    function _claimProposal(uint256 id) internal {
        _do(ANYONE, abi.encodeCall(rollup.claimProposal, (id)));
    }

    function _claimChallenge(uint256 id, uint256 index) internal {
        _do(ANYONE, abi.encodeCall(rollup.claimChallenge, (id, index)));
    }

    /// @dev The contract has what it owes in coin, and no more: nothing is deposited in these tests.
    function _owes(uint256 proposer, uint256 challenger, uint256 payout) internal view {
        assertEq(rollup.ethOwed(PROPOSER), proposer);
        assertEq(rollup.ethOwed(BOB), challenger);
        assertEq(rollup.ethOwed(PAYOUT), payout);
    }
}
