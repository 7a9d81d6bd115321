// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice What is fixed for a rollup at deployment. Times are in seconds, amounts in the smallest unit.
/// @param shard Shard id, below r.
/// @param asset The ERC-20 in which balances are, or 0 for the chain's coin. No fee on transfer, no rebasing.
/// @param maxAge How far back a batch's L1 time may lie.
/// @param queueRoom Least room for queue items of a circuit that may be used: the queue's capacity.
/// @param queueDelay Until a queue item is overdue, if no other waits.
/// @param itemInterval How much later than the item before it an item is overdue at the earliest.
/// @param queueFee What queueing an item costs, in wei; paid to the batch's prover.
/// @param proveWindow T: an unproven batch older than this lets anyone open the fallback.
/// @param challengeWindow W: how long a full batch can be challenged before it may become final without a proof.
/// @param disputeCap How long a dispute can hold up escape at most.
/// @param escapeDelay E: nothing final for so long, and anyone freezes the rollup.
/// @param withdrawalDelay From a batch's finalization until what it owes can be claimed.
/// @param upgradeDelay From the announcement of an upgrade until it can take effect.
/// @param bond What a proposal and what a challenge stake, in wei.
/// @param rateFloor How much may be withdrawn a day, however little is held.
/// @param rateBps How much of what is held may be withdrawn a day, in basis points, if that is more.
struct Parameters {
    uint256 shard;
    address asset;
    uint64 maxAge;
    uint64 queueRoom;
    uint64 queueDelay;
    uint64 itemInterval;
    uint96 queueFee;
    uint64 proveWindow;
    uint64 challengeWindow;
    uint64 disputeCap;
    uint64 escapeDelay;
    uint64 withdrawalDelay;
    uint64 upgradeDelay;
    uint96 bond;
    uint96 rateFloor;
    uint16 rateBps;
}
