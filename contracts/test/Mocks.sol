// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccountProofs} from "../src/IAccountProofs.sol";
import {IVerifier} from "../src/IVerifier.sol";

/// @dev Takes as proof of public inputs their hash, and nothing else.
contract MockVerifier is IVerifier {
    error MockProofInvalid();

    bool public isDevelopment;
    uint256 public inputCount;
    bytes32 public constant keyHash = keccak256("mock");

    constructor(bool isDevelopment_, uint256 inputCount_) {
        (isDevelopment, inputCount) = (isDevelopment_, inputCount_);
    }

    function verify(uint256[] calldata proof, uint256[] calldata inputs) external pure {
        if (proof[0] != uint256(keccak256(abi.encodePacked(inputs)))) revert MockProofInvalid();
    }
}

/// @dev Takes as first sibling the hash of what is to be proven.
contract MockAccountProofs is IAccountProofs {
    function isAccount(uint256 root, uint32 index, uint256[8] calldata leaf, uint256[48] calldata siblings)
        external
        pure
        returns (bool)
    {
        return siblings[0] == uint256(keccak256(abi.encode(root, index, leaf)));
    }
}

/// @dev Takes no payment until it is told to, and then answers a call it was given on the way.
contract Receiver {
    address public immutable TARGET;
    bytes public call;
    bool public open;
    bool public succeeded;
    bytes public answer;

    error NotNow(string why);

    constructor(address target) {
        TARGET = target;
    }

    function prepare(bytes calldata call_) external {
        (open, call) = (true, call_);
    }

    receive() external payable {
        if (!open) revert NotNow("a long answer that nobody has asked for");
        if (call.length != 0) (succeeded, answer) = TARGET.call(call);
    }
}

/// @dev Takes value and answers a megabyte.
contract Verbose {
    fallback() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @dev Takes no value at all.
contract Refuser {}
