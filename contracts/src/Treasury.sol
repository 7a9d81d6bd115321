// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Parameters} from "./Parameters.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title What the rollup holds, and to whom it is owed
/// @notice The asset of the accounts comes in by deposits and leaves by `withdraw` alone, no faster than the rate allows;
/// fees and bonds are in the chain's coin and leave by `collect`. Both pay what is owed to an address to that address,
/// whoever asks; an address that takes no payment keeps its due and holds up nobody else.
/// @dev holdings = balances of accounts (on L2) + deposits not taken yet + claims not yet made + Σ owed.
abstract contract Treasury is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Withdrawals of the present day.
    struct Rate {
        uint64 day;
        uint96 limit;
        uint96 paid;
    }

    /// @notice The asset was paid out.
    event Withdrawn(address indexed to, uint256 amount);
    /// @notice Fees or bonds were paid out.
    event Collected(address indexed to, uint256 amount);

    /// @notice Nothing is owed to this address.
    error NothingOwed(address to);
    /// @notice The day's withdrawals are used up; from `until` on, in unix seconds, there are more.
    error RateExceeded(uint256 until);
    /// @notice The receiver did not take the amount; the debt stands.
    error PaymentFailed(address to, uint256 amount);
    /// @notice Another value had to be sent with the call: amount and fee, the fee alone, or the bond.
    error ValueWrong(uint256 expected, uint256 got);
    /// @notice The token moved another amount than it was told to.
    error AmountReceivedWrong(uint256 expected, uint256 got);
    /// @notice With this deposit the contract would hold 2^95 or more, and a balance could outgrow its 96 bits.
    error HoldingsTooLarge(uint256 limit, uint256 got);

    /// @dev All that accounts hold is held here, so no balance reaches 2^96, which no circuit could prove.
    uint256 internal constant HOLDINGS_LIMIT = 1 << 95;

    /// @notice The ERC-20 in which balances are, or 0 for the chain's coin.
    IERC20 public immutable asset;
    uint256 private immutable RATE_FLOOR;
    uint256 private immutable RATE_BPS;

    /// @notice How much of the asset is held for accounts and claimants.
    uint256 public holdings;
    /// @notice How much of the asset an address can withdraw.
    mapping(address => uint256) public owed;
    /// @notice How much of the chain's coin, from fees and bonds, an address can collect.
    mapping(address => uint256) public ethOwed;
    Rate private _rate;

    constructor(Parameters memory p) {
        asset = IERC20(p.asset);
        (RATE_FLOOR, RATE_BPS) = (p.rateFloor, p.rateBps);
    }

    /// @notice Pays of what is owed to an address as much as the rate allows, to that address.
    function withdraw(address to) external nonReentrant {
        uint256 amount = owed[to];
        if (amount == 0) revert NothingOwed(to);
        uint256 available = withdrawable();
        if (available == 0) revert RateExceeded((block.timestamp / 1 days + 1) * 1 days);
        if (amount > available) amount = available;
        _spend(amount);
        owed[to] -= amount;
        holdings -= amount;
        emit Withdrawn(to, amount);
        if (address(asset) == address(0)) _pay(to, amount);
        else asset.safeTransfer(to, amount);
    }

    /// @notice Pays fees and bonds owed to an address, to that address.
    function collect(address to) external nonReentrant {
        uint256 amount = ethOwed[to];
        if (amount == 0) revert NothingOwed(to);
        ethOwed[to] = 0;
        emit Collected(to, amount);
        _pay(to, amount);
    }

    /// @notice How much can be withdrawn now, all together: until the day's end, or of a frozen rollup altogether.
    function withdrawable() public view returns (uint256) {
        if (_isFrozen()) return type(uint256).max;
        // forge-lint: disable-next-item(block-timestamp)
        // slither-disable-next-line incorrect-equality (days are whole)
        return _rate.day == block.timestamp / 1 days ? _rate.limit - _rate.paid : _dayLimit();
    }

    /// @dev Whether the rollup is frozen.
    function _isFrozen() internal view virtual returns (bool);

    /// @dev Takes an amount of the asset in from the caller. `value` is what of the call's value is for it.
    function _take(uint256 amount, uint256 value) internal {
        uint256 held = holdings + amount;
        if (held >= HOLDINGS_LIMIT) revert HoldingsTooLarge(HOLDINGS_LIMIT, held);
        holdings = held;
        if (address(asset) == address(0)) {
            if (value != amount) revert ValueWrong(amount, value);
        } else {
            if (value != 0) revert ValueWrong(0, value);
            if (amount == 0) return;
            uint256 before = asset.balanceOf(address(this));
            asset.safeTransferFrom(msg.sender, address(this), amount);
            uint256 received = asset.balanceOf(address(this)) - before;
            if (received != amount) revert AmountReceivedWrong(amount, received);
        }
    }

    /// @dev Destroys some of the chain's coin that the rollup was given as a bond.
    function _burn(uint256 amount) internal {
        _pay(address(0), amount);
    }

    function _dayLimit() private view returns (uint256) {
        uint256 share = holdings * RATE_BPS / 10_000;
        return share > RATE_FLOOR ? share : RATE_FLOOR;
    }

    function _spend(uint256 amount) private {
        if (_isFrozen()) return;
        // forge-lint: disable-next-item(block-timestamp, unsafe-typecast)
        {
            uint64 day = uint64(block.timestamp / 1 days);
            if (_rate.day != day) _rate = Rate({day: day, limit: uint96(_dayLimit()), paid: 0}); // both below 2^96
            _rate.paid += uint96(amount); // at most the limit
        }
    }

    /// @dev What the receiver returns is not copied, so it cannot make the caller pay for memory.
    function _pay(address to, uint256 amount) private {
        bool taken;
        assembly ("memory-safe") {
            taken := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!taken) revert PaymentFailed(to, amount);
    }
}
