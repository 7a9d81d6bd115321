// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev The few of forge's cheat codes that these tests use. https://getfoundry.sh/reference/cheatcodes/overview
interface Vm {
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function expectRevert(bytes calldata data) external;
    function expectEmit() external;
}

/// @dev Base of the tests; a failing check reverts, which is what forge counts as a failure.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Different(uint256 left, uint256 right);
    error Expected(string what);

    function assertEq(uint256 left, uint256 right) internal pure {
        if (left != right) revert Different(left, right);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert Expected(what);
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
