// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAuthority} from "@openzeppelin/contracts/access/manager/IAuthority.sol";

/// @title Functions that an AccessManager gives to roles
/// @notice The manager is fixed; who has which role, and with which delay, stands there. A role with a delay calls
/// through the manager (`schedule`, then `execute`).
abstract contract Managed {
    /// @notice The caller's roles do not allow this function.
    error Unauthorized(address caller);

    /// @notice The AccessManager that says who may call what.
    IAuthority public immutable authority;

    modifier restricted() {
        _checkCaller();
        _;
    }

    constructor(IAuthority authority_) {
        authority = authority_;
    }

    /// @dev The caller's roles allow the function that is called.
    function _checkCaller() internal view {
        if (!authority.canCall(msg.sender, address(this), msg.sig)) revert Unauthorized(msg.sender);
    }
}
