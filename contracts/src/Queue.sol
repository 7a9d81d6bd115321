// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Parameters} from "./Parameters.sol";
import {Treasury} from "./Treasury.sol";

/// @title What people put in front of a rollup on L1: deposits, exits, transfers
/// @notice Items have numbers, the first is 1, and batches take them in this order. L1 says who the sender is, so no
/// signature is asked; whether an item is valid is decided, and proven, in the batch that takes it: an exit or a
/// transfer of somebody else's account changes nothing, a deposit for an account that does not exist becomes a claim
/// of its sender. An item that is overdue must be in the next batch, and one that is overdue for too long lets anyone
/// freeze the rollup. docs/protocol.md, "Queue".
abstract contract Queue is Treasury {
    /// @param word kind (8) + a (32) + b (32) + amount (88), lowest bits first.
    /// @param sender Who queued it.
    /// @param deadline When it is overdue, in unix seconds.
    /// @param refunded Whether fee and deposit went back to the sender of a frozen rollup.
    struct Item {
        uint256 word;
        address sender;
        uint64 deadline;
        bool refunded;
    }

    /// @notice An item was queued. `kind` is 1 for a deposit to account `a`, 2 for an exit from `a`, 3 for a transfer
    /// from `a` to `b`; the amount is in the asset's smallest unit. It is overdue after `deadline`.
    event ItemQueued(
        uint256 indexed number,
        uint256 indexed kind,
        address indexed sender,
        uint32 a,
        uint32 b,
        uint88 amount,
        uint64 deadline
    );

    /// @notice The rollup is frozen for good.
    error Frozen();
    /// @notice An amount of nothing.
    error AmountZero();
    /// @notice No such items, or not all of them, are queued.
    error ItemUnknown(uint256 queued, uint256 got);

    uint256 internal constant DEPOSIT = 1;
    uint256 internal constant EXIT = 2;
    uint256 internal constant TRANSFER = 3;

    /// @notice Least room for queue items of a circuit that may be used.
    uint256 public immutable queueRoom;
    /// @notice What queueing an item costs, in wei.
    uint256 public immutable queueFee;
    uint64 private immutable DELAY;
    uint64 private immutable INTERVAL;

    mapping(uint256 number => Item) internal _items;
    /// @notice Number of the last item queued; 0 before the first.
    uint64 public queuedItems;

    modifier whenLive() {
        _checkLive();
        _;
    }

    constructor(Parameters memory p) Treasury(p) {
        (queueRoom, queueFee, DELAY, INTERVAL) = (p.queueRoom, p.queueFee, p.queueDelay, p.itemInterval);
    }

    /// @notice Queues a deposit to an account. Of the chain's coin, amount and fee are sent with this call; of a token,
    /// the fee alone, and the rollup must be allowed to take the amount.
    /// @param index The account's index in the shard. If no account is there when a batch takes the item, the amount
    /// becomes a claim of the sender.
    /// @param amount In the asset's smallest unit.
    function deposit(uint32 index, uint88 amount) external payable nonReentrant whenLive {
        if (msg.value < queueFee) revert ValueWrong(queueFee, msg.value);
        _take(amount, msg.value - queueFee);
        _enqueue(DEPOSIT, index, 0, amount);
    }

    /// @notice Queues an exit: the amount, or the balance if that is less, leaves the account and becomes a claim of
    /// the sender.
    /// @param index An account whose `l1_owner` is the sender; otherwise the item will change nothing.
    /// @param amount In the asset's smallest unit; 2^88 − 1 takes everything.
    function forceExit(uint32 index, uint88 amount) external payable whenLive {
        _paidFee();
        _enqueue(EXIT, index, 0, amount);
    }

    /// @notice Queues a transfer between accounts.
    /// @param from An account whose `l1_owner` is the sender, with at least this balance; otherwise the item will
    /// change nothing.
    /// @param to An account that exists.
    /// @param amount In the asset's smallest unit.
    function forceTransfer(uint32 from, uint32 to, uint88 amount) external payable whenLive {
        _paidFee();
        _enqueue(TRANSFER, from, to, amount);
    }

    /// @notice An item of the queue.
    function item(uint256 number) external view returns (Item memory) {
        if (number == 0 || number > queuedItems) revert ItemUnknown(queuedItems, number);
        return _items[number];
    }

    /// @notice Words of the items from number `first` on, two for each: kind, accounts and amount; sender.
    function queueWords(uint256 first, uint256 count) external view returns (uint256[] memory) {
        if (first == 0 || count > queuedItems || first - 1 > queuedItems - count) {
            revert ItemUnknown(queuedItems, first);
        }
        return _queueWords(first, count);
    }

    /// @dev The same, of items that the caller knows to be there.
    function _queueWords(uint256 first, uint256 count) internal view returns (uint256[] memory words) {
        words = new uint256[](2 * count);
        for (uint256 i = 0; i < count; ++i) {
            Item storage found = _items[first + i];
            words[2 * i] = found.word;
            words[2 * i + 1] = uint160(found.sender);
        }
    }

    function _checkLive() private view {
        if (_isFrozen()) revert Frozen();
    }

    function _paidFee() private {
        if (msg.value != queueFee) revert ValueWrong(queueFee, msg.value);
    }

    function _enqueue(uint256 kind, uint32 a, uint32 b, uint88 amount) private {
        if (amount == 0) revert AmountZero();
        uint64 number = ++queuedItems;
        uint64 deadline = uint64(block.timestamp) + DELAY;
        uint64 after_ = _items[number - 1].deadline + INTERVAL;
        if (after_ > deadline) deadline = after_;
        _items[number] = Item({
            word: kind | uint256(a) << 8 | uint256(b) << 40 | uint256(amount) << 72,
            sender: msg.sender,
            deadline: deadline,
            refunded: false
        });
        emit ItemQueued(number, kind, msg.sender, a, b, amount, deadline);
    }
}
