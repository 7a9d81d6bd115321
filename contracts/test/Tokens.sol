// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A token as the rollup wants it; anyone mints.
contract PlainToken is ERC20("Token", "T") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps a hundredth of each transfer.
contract FeeToken is PlainToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(this), value / 100);
    }
}

/// @dev Calls whoever was named before it moves anything.
contract HookToken is PlainToken {
    address public hooked;

    function setHook(address hooked_) external {
        hooked = hooked_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (hooked != address(0)) Hooked(hooked).beforeTransfer();
        super._update(from, to, value);
    }
}

interface Hooked {
    function beforeTransfer() external;
}

/// @dev Answers nothing, as some of the oldest tokens do.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    error NotEnough();

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        if (allowance[from][msg.sender] < amount) revert NotEnough();
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (balanceOf[from] < amount) revert NotEnough();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Answers false where others revert.
contract FalseToken is PlainToken {
    bool public refuses;

    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !refuses && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !refuses && super.transferFrom(from, to, amount);
    }
}
