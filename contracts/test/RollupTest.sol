// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Test} from "./Test.sol";

contract MockVerifier is IVerifier {
    error MockProofInvalid();

    bool public isDevelopment;
    uint256 public inputCount;
    bytes32 public constant keyHash = 0;

    constructor(bool isDevelopment_, uint256 inputCount_) {
        (isDevelopment, inputCount) = (isDevelopment_, inputCount_);
    }

    function verify(uint256[8] calldata proof, uint256[] calldata inputs) external pure {
        if (proof[0] != uint256(keccak256(abi.encodePacked(inputs)))) revert MockProofInvalid();
    }
}

abstract contract RollupTest is Test {
    uint256 internal constant R = BatchData.R;
    uint256 internal constant GENESIS_ROOT = 7;
    uint256 internal constant SHARD = 3;
    uint256 internal constant MAX_AGE = 1 days;
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant CHAIN = 31337;
    address internal constant OPERATOR = address(0x0123);
    address internal constant ANYONE = address(0x0456);
    address internal constant PAYOUT = address(0x0789);

    AitbcRollup internal rollup;

    function setUp() public {
        vm.warp(NOW);
        vm.chainId(CHAIN);
        rollup = _rollup(new MockVerifier(false, 4));
    }

    function _listed() internal pure returns (uint256[] memory ids) {
        ids = new uint256[](2);
        (ids[0], ids[1]) = (1337, CHAIN);
    }

    function _rollup(IVerifier verifier) internal returns (AitbcRollup) {
        return new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
    }

    /// @dev Root after batch n in these tests; the genesis is batch 0.
    function _root(uint256 n) internal pure returns (uint256) {
        return GENESIS_ROOT + n;
    }

    function _words(uint256 number, uint256 sessions) internal view returns (uint256[] memory words) {
        words = new uint256[](13 + 3 * sessions);
        words[0] = 1;
        words[1] = CHAIN;
        words[2] = uint160(address(rollup));
        words[3] = SHARD;
        words[4] = number;
        words[5] = sessions | ((2 * sessions) << 32) | (uint256(9) << 64);
        words[6] = 32 * words.length;
        words[8] = NOW - 100 + number;
        words[9] = _root(number - 1);
        words[10] = _root(number);
        for (uint256 i = 13; i < words.length; ++i) {
            words[i] = uint256(keccak256(abi.encode(number, i))) % R;
        }
    }

    function _data(uint256 number) internal view returns (bytes memory) {
        return abi.encodePacked(_words(number, 2));
    }

    function _commitment(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("C", number))) % R;
    }

    function _zeta(bytes memory data, uint256 commitment) internal pure returns (uint256) {
        return uint256(keccak256(bytes.concat("aitbc-rollup/data/v1", bytes32(commitment), keccak256(data)))) % R;
    }

    /// @dev The polynomial the plain way: powers of ζ, from the first word up.
    function _y(bytes memory data, uint256 zeta) internal pure returns (uint256 y) {
        uint256 power = 1;
        for (uint256 i = 0; i < data.length; i += 32) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(data, add(32, i)))
            }
            y = addmod(y, mulmod(word, power, R), R);
            power = mulmod(power, zeta, R);
        }
    }

    function _proof(uint256 commitment, uint256 zeta, uint256 y, address payout)
        internal
        pure
        returns (uint256[8] memory proof)
    {
        proof[0] = uint256(keccak256(abi.encodePacked(commitment, zeta, y, uint256(uint160(payout)))));
    }

    function _commit(uint256 number) internal {
        bytes memory data = _data(number);
        vm.prank(OPERATOR);
        rollup.commit(data, _commitment(number));
    }

    function _inputs(uint256 number) internal view returns (uint256 c, uint256 zeta, uint256 y) {
        c = _commitment(number);
        zeta = _zeta(_data(number), c);
        y = _y(_data(number), zeta);
    }

    function _prove(uint256 number) internal {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(number);
        vm.prank(ANYONE);
        rollup.prove(number, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function _expectCommitRevert(bytes memory data, bytes memory why) internal {
        vm.prank(OPERATOR);
        vm.expectRevert(why);
        rollup.commit(data, _commitment(1));
    }

    function _counters(uint256 committed, uint256 proven, uint256 finalized) internal view {
        assertEq(rollup.committedBatches(), committed);
        assertEq(rollup.provenBatches(), proven);
        assertEq(rollup.finalizedBatches(), finalized);
    }
}
