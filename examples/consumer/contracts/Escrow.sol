// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRollup} from "./IRollup.sol";

/// @title Money that waits for a batch
/// @notice Pays the payee when the rollup's batch of a given number is final with a given state root, and pays the payer
/// back when it is final with another, or not final at the deadline. A state root commits to every account, so the two
/// have agreed on the outcome of everything up to that batch.
/// @dev A root that is not final yet can still be rolled back: nothing less than `finalRoot` may release money.
contract Escrow {
    /// @notice Where the money went.
    event Settled(address indexed to, uint256 amount);

    /// @notice The batch is not final, or the deadline is still to come.
    error NotYet();
    /// @notice The batch is final with a root that decides the other way.
    error DecidedOtherwise(uint256 root);
    /// @notice The money went out already.
    error SettledAlready();
    /// @notice The receiver refuses the money.
    error PaymentFailed(address to);

    IRollup public immutable rollup;
    address public immutable payer;
    address public immutable payee;
    uint256 public immutable batchNumber;
    uint256 public immutable root;
    /// @notice Unix seconds.
    uint256 public immutable deadline;
    bool public settled;

    /// @param rollup_ The rollup that decides.
    /// @param payee_ Who is paid if it decides so.
    /// @param batchNumber_ The batch that both wait for.
    /// @param root_ The state root that it must have.
    /// @param deadline_ When the payer stops waiting, in unix seconds.
    constructor(IRollup rollup_, address payee_, uint256 batchNumber_, uint256 root_, uint256 deadline_) payable {
        (rollup, payer, payee) = (rollup_, msg.sender, payee_);
        (batchNumber, root, deadline) = (batchNumber_, root_, deadline_);
    }

    /// @notice Pays the payee, once the batch is final with the agreed root; anyone may call, also after the deadline.
    function release() external {
        if (rollup.finalizedBatches() < batchNumber) revert NotYet();
        uint256 found = rollup.finalRoot(batchNumber);
        if (found != root) revert DecidedOtherwise(found);
        _settle(payee);
    }

    /// @notice Pays the payer back, once the batch is final with another root, or late; anyone may call.
    function refund() external {
        if (rollup.finalizedBatches() < batchNumber) {
            if (block.timestamp < deadline) revert NotYet();
        } else {
            uint256 found = rollup.finalRoot(batchNumber);
            if (found == root) revert DecidedOtherwise(found);
        }
        _settle(payer);
    }

    function _settle(address to) private {
        if (settled) revert SettledAlready();
        settled = true;
        uint256 amount = address(this).balance;
        emit Settled(to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert PaymentFailed(to);
    }
}
