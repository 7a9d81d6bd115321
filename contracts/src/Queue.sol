// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What people put in front of a rollup on L1: deposits, exits, transfers
/// @notice Items have numbers, the first is 1, and batches take them in this order. L1 says who the sender is, so no
/// signature is asked; whether an item is valid is decided, and proven, in the batch that takes it: an exit or a
/// transfer of somebody else's account changes nothing, a deposit for an account that does not exist becomes a claim
/// of its sender. docs/protocol.md, "Queue".
abstract contract Queue {
    /// @param word kind (8) + a (32) + b (32) + amount (88), lowest bits first.
    struct Item {
        uint256 word;
        address sender;
    }

    /// @notice An item was queued. `kind` is 1 for a deposit to account `a`, 2 for an exit from `a`, 3 for a transfer
    /// from `a` to `b`; the amount is in wei.
    event ItemQueued(
        uint256 indexed number, uint256 indexed kind, address indexed sender, uint32 a, uint32 b, uint88 amount
    );

    /// @notice The circuit has no room for queue items, so nothing could ever take this one.
    error NoQueue();
    /// @notice An amount of nothing.
    error AmountZero();
    /// @notice A deposit must be below 2^88 wei.
    error AmountTooLarge(uint256 limit, uint256 got);
    /// @notice With this deposit the contract would hold 2^95 wei or more, and a balance could outgrow its 96 bits.
    error HoldingsTooLarge(uint256 limit, uint256 got);
    /// @notice No such items, or not all of them, are queued.
    error ItemUnknown(uint256 queued, uint256 got);

    uint256 internal constant DEPOSIT = 1;
    uint256 internal constant EXIT = 2;
    uint256 internal constant TRANSFER = 3;
    /// @dev Everything that accounts hold lies in this contract, so no balance reaches 2^96, which no circuit could
    /// prove.
    uint256 private constant HOLDINGS_LIMIT = 1 << 95;
    uint256 private constant AMOUNT_LIMIT = 1 << 88;

    /// @notice How many queue items a batch can take.
    uint256 public immutable queueRoom;
    mapping(uint256 number => Item) private _items;
    /// @notice Number of the last item queued; 0 before the first.
    uint64 public queuedItems;

    constructor(uint256 room) {
        queueRoom = room;
    }

    /// @notice Queues a deposit of the value sent with this call to an account.
    /// @param index The account's index in the shard. If no account is there when a batch takes the item, the amount
    /// becomes a claim of the sender.
    function deposit(uint32 index) external payable {
        if (msg.value >= AMOUNT_LIMIT) revert AmountTooLarge(AMOUNT_LIMIT, msg.value);
        if (address(this).balance >= HOLDINGS_LIMIT) revert HoldingsTooLarge(HOLDINGS_LIMIT, address(this).balance);
        // forge-lint: disable-next-line(unsafe-typecast)
        _enqueue(DEPOSIT, index, 0, uint88(msg.value)); // below 2^88
    }

    /// @notice Queues an exit: the amount, or the balance if that is less, leaves the account and becomes a claim of
    /// the sender.
    /// @param index An account whose `l1_owner` is the sender; otherwise the item will change nothing.
    /// @param amount In wei; 2^88 − 1 takes everything.
    function forceExit(uint32 index, uint88 amount) external {
        _enqueue(EXIT, index, 0, amount);
    }

    /// @notice Queues a transfer between accounts.
    /// @param from An account whose `l1_owner` is the sender, with at least this balance; otherwise the item will
    /// change nothing.
    /// @param to An account that exists.
    /// @param amount In wei.
    function forceTransfer(uint32 from, uint32 to, uint88 amount) external {
        _enqueue(TRANSFER, from, to, amount);
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
            Item storage item = _items[first + i];
            words[2 * i] = item.word;
            words[2 * i + 1] = uint160(item.sender);
        }
    }

    function _enqueue(uint256 kind, uint32 a, uint32 b, uint88 amount) private {
        if (queueRoom == 0) revert NoQueue();
        if (amount == 0) revert AmountZero();
        uint64 number = ++queuedItems;
        _items[number] =
            Item({word: kind | uint256(a) << 8 | uint256(b) << 40 | uint256(amount) << 72, sender: msg.sender});
        emit ItemQueued(number, kind, msg.sender, a, b, amount);
    }
}
