// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccountProofs} from "./IAccountProofs.sol";
import {OptimisticFallback} from "./OptimisticFallback.sol";
import {Parameters} from "./Parameters.sol";

/// @title The way out when nothing else moves
/// @notice If nothing becomes final for too long although something waits, or a queue item is overdue for too long, anybody
/// freezes the rollup for good. Then every account leaves with its balance by a Merkle proof against the last final root,
/// once; deposits and fees of items that no final batch took go back; claims of final batches are paid as before.
abstract contract Escape is OptimisticFallback {
    /// @notice The rollup is frozen for good at this root.
    event RollupFrozen(uint256 indexed batchNumber, uint256 indexed stateRoot);
    /// @notice An account has left with its balance.
    event Escaped(uint32 indexed index, address indexed to, uint256 amount);
    /// @notice Fee and, of a deposit, amount of an item that no final batch took are its sender's again.
    event Refunded(uint256 indexed item, address indexed to);

    /// @notice The rollup is not frozen.
    error NotFrozen();
    /// @notice Neither clock has run out.
    error FreezeTooEarly();
    /// @notice The account has left before.
    error AlreadyEscaped(uint32 index);
    /// @notice The proof does not show this account under the last final root.
    error AccountWrong(uint32 index);
    /// @notice The account names no L1 owner, so its balance is nobody's.
    error AccountWithoutOwner(uint32 index);
    /// @notice A final batch has taken the item, or it went back before.
    error NotRefundable(uint256 item);

    /// @notice Who checks Merkle proofs of accounts.
    IAccountProofs public immutable accountProofs;
    uint256 private immutable ESCAPE_DELAY;

    /// @notice Whether the rollup is frozen for good.
    bool public frozen;
    mapping(uint256 slot => uint256) private _escaped;

    constructor(IAccountProofs accountProofs_, Parameters memory p) {
        (accountProofs, ESCAPE_DELAY) = (accountProofs_, p.escapeDelay);
    }

    /// @notice Freezes the rollup, for good, if one of the two clocks has run out.
    function freeze() external whenLive {
        if (!isFreezable()) revert FreezeTooEarly();
        frozen = true;
        emit RollupFrozen(finalizedBatches, _batches[finalizedBatches].newRoot);
    }

    /// @notice Makes an account's balance under the last final root a debt to its L1 owner.
    /// @param index Index of the account.
    /// @param leaf Its words: public key x and y, owner, funds, usage a and b, history root, external id.
    /// @param siblings The three others of its node, for levels 0 to 15, in ascending position.
    function escape(uint32 index, uint256[8] calldata leaf, uint256[48] calldata siblings) external {
        if (!frozen) revert NotFrozen();
        // forge-lint: disable-next-line(incorrect-shift)
        (uint256 slot, uint256 bit) = (index >> 8, 1 << (index & 0xff)); // a shifted one is meant
        if (_escaped[slot] & bit != 0) revert AlreadyEscaped(index);
        if (!accountProofs.isAccount(_batches[finalizedBatches].newRoot, index, leaf, siblings)) {
            revert AccountWrong(index);
        }
        // owner = l1_owner (160) + permissions; funds = balance (96) + nonce.
        // forge-lint: disable-next-item(unsafe-typecast)
        (address to, uint256 amount) = (address(uint160(leaf[2])), uint96(leaf[3]));
        if (to == address(0)) revert AccountWithoutOwner(index);
        _escaped[slot] |= bit;
        owed[to] += amount;
        emit Escaped(index, to, amount);
    }

    /// @notice Gives the sender of an item that no final batch took its fee and, of a deposit, the amount back.
    function refund(uint256 number) external {
        if (!frozen) revert NotFrozen();
        Item storage found = _items[number];
        if (number <= _batches[finalizedBatches].lastItem || number > queuedItems || found.refunded) {
            revert NotRefundable(number);
        }
        found.refunded = true;
        ethOwed[found.sender] += queueFee;
        if (found.word & 0xff == DEPOSIT) owed[found.sender] += found.word >> 72;
        emit Refunded(number, found.sender);
    }

    /// @notice Whether an account has left.
    function hasEscaped(uint32 index) external view returns (bool) {
        return _escaped[index >> 8] >> (index & 0xff) & 1 == 1;
    }

    /// @notice Whether one of the two clocks has run out.
    function isFreezable() public view returns (bool) {
        uint256 patience = ESCAPE_DELAY + _pause();
        // forge-lint: disable-start(block-timestamp)
        if (pendingSince != 0 && block.timestamp > pendingSince + patience) return true;
        uint256 next = uint256(_batches[finalizedBatches].lastItem) + 1;
        return next <= queuedItems && block.timestamp > _items[next].deadline + patience;
        // forge-lint: disable-end(block-timestamp)
    }

    /// @dev Whether the rollup is frozen.
    function _isFrozen() internal view override returns (bool) {
        return frozen;
    }
}
