// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev The few of forge's cheat codes that these tests use. https://getfoundry.sh/reference/cheatcodes/overview
interface Vm {
    function assume(bool condition) external pure;
    function addr(uint256 privateKey) external pure returns (address);
    function blobhashes(bytes32[] calldata hashes) external;
    function chainId(uint256 id) external;
    function deal(address account, uint256 balance) external;
    function expectEmit() external;
    function expectRevert(bytes calldata data) external;
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function revertToState(uint256 id) external returns (bool);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function snapshotState() external returns (uint256 id);
    function warp(uint256 timestamp) external;
}

/// @dev Base of the tests; a failing check reverts, which is what forge counts as a failure.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Different(uint256 left, uint256 right);
    error DifferentBytes(bytes left, bytes right);
    error Expected(string what);

    function assertEq(uint256 left, uint256 right) internal pure {
        if (left != right) revert Different(left, right);
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        if (left != right) revert Different(uint256(left), uint256(right));
    }

    function assertEq(address left, address right) internal pure {
        if (left != right) revert Different(uint160(left), uint160(right));
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        if (keccak256(left) != keccak256(right)) revert DifferentBytes(left, right);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert Expected(what);
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
