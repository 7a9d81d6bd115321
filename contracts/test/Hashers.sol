// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @dev The cheat codes that read files. https://getfoundry.sh/reference/cheatcodes/overview
interface VmFiles {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
}

/// @dev Poseidon from the committed bytecode.
library Hashers {
    VmFiles private constant VM = VmFiles(address(uint160(uint256(keccak256("hevm cheat code")))));

    error NotCreated(string name);

    /// @dev Poseidon of four inputs: nodes.
    function node() internal returns (address) {
        return _create("Poseidon4");
    }

    /// @dev Poseidon of eight inputs: leaves.
    function leaf() internal returns (address) {
        return _create("Poseidon8");
    }

    function _create(string memory name) private returns (address created) {
        bytes memory code = VM.parseJsonBytes(VM.readFile(string.concat("artifacts/", name, ".json")), ".bytecode");
        assembly ("memory-safe") {
            created := create(0, add(code, 32), mload(code))
        }
        if (created == address(0)) revert NotCreated(name);
    }
}
