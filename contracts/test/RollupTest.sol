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

    function verify(uint256[] calldata proof, uint256[] calldata inputs) external pure {
        if (proof[0] != uint256(keccak256(abi.encodePacked(inputs)))) revert MockProofInvalid();
    }
}

/// @dev A rollup with a verifier that accepts exactly the proofs of `_proof`, and batches of random words for it.
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
    address internal constant ALICE = address(0xa11ce);

    AitbcRollup internal rollup;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.chainId(CHAIN);
        vm.deal(ALICE, 1_000 ether);
        rollup = _rollup(new MockVerifier(false, 4));
    }

    function _listed() internal pure returns (uint256[] memory ids) {
        ids = new uint256[](2);
        (ids[0], ids[1]) = (1337, CHAIN);
    }

    function _sections(uint256 queue, uint256 registrations, uint256 transfers, uint256 sessions)
        internal
        pure
        returns (BatchData.Sections memory)
    {
        return BatchData.Sections(queue, registrations, transfers, sessions);
    }

    /// @dev The circuit's room in these tests.
    function _room() internal pure virtual returns (BatchData.Sections memory) {
        return _sections(4, 3, 5, 7);
    }

    /// @dev What batches have where a test does not care: everything but queue items.
    function _some() internal pure returns (BatchData.Sections memory) {
        return _sections(0, 1, 2, 2);
    }

    function _rollup(IVerifier verifier) internal returns (AitbcRollup) {
        return new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _room(), _listed());
    }

    /// @dev Root after batch n in these tests; the genesis is batch 0.
    function _root(uint256 n) internal pure returns (uint256) {
        return GENESIS_ROOT + n;
    }

    function _counts(BatchData.Sections memory used) internal pure returns (uint256) {
        return used.queue | used.registrations << 16 | used.transfers << 32 | used.sessions << 48 | (16 * used.sessions)
            << 80 | 9 << 112;
    }

    /// @dev The posted words of a batch.
    function _words(uint256 number, BatchData.Sections memory used) internal view returns (uint256[] memory words) {
        words = new uint256[](10 + used.queue + 5 * used.registrations + 2 * used.transfers + 3 * used.sessions);
        words[0] = 2;
        words[1] = block.chainid;
        words[2] = uint160(address(rollup));
        words[3] = SHARD;
        words[4] = number;
        words[5] = _counts(used);
        words[7] = NOW - 100 + number;
        words[8] = _root(number - 1);
        words[9] = _root(number);
        for (uint256 i = 10; i < words.length; ++i) {
            words[i] = uint256(keccak256(abi.encode(number, i))) % R;
        }
    }

    function _data(uint256 number) internal view returns (bytes memory) {
        return abi.encodePacked(_words(number, _some()));
    }

    function _commitment(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("C", number))) % R;
    }

    function _zeta(bytes memory data, uint256[] memory items, uint256 commitment) internal pure returns (uint256) {
        return uint256(
            keccak256(
            bytes.concat(
            "aitbc-rollup/data/v2", bytes32(commitment), keccak256(data), keccak256(abi.encodePacked(items))
        )
        )
        ) % R;
    }

    /// @dev The polynomial the plain way: all words of the room, unused ones as zeros, times powers of ζ.
    function _y(bytes memory data, uint256[] memory items, BatchData.Sections memory used, uint256 zeta)
        internal
        pure
        returns (uint256 y)
    {
        uint256[] memory posted = _toWords(data);
        BatchData.Sections memory room = _room();
        uint256[6] memory has =
            [10, 2 * used.queue, used.queue, 5 * used.registrations, 2 * used.transfers, 3 * used.sessions];
        uint256[6] memory rooms =
            [10, 2 * room.queue, room.queue, 5 * room.registrations, 2 * room.transfers, 3 * room.sessions];
        uint256 power = 1;
        uint256 next = 0;
        for (uint256 section = 0; section < 6; ++section) {
            for (uint256 i = 0; i < rooms[section]; ++i) {
                uint256 word = 0;
                if (i < has[section]) word = section == 1 ? items[i] : posted[next++];
                y = addmod(y, mulmod(word, power, R), R);
                power = mulmod(power, zeta, R);
            }
        }
    }

    function _toWords(bytes memory data) internal pure returns (uint256[] memory words) {
        words = new uint256[](data.length / 32);
        for (uint256 i = 0; i < words.length; ++i) {
            assembly ("memory-safe") {
                mstore(add(words, mul(32, add(i, 1))), mload(add(data, mul(32, add(i, 1)))))
            }
        }
    }

    function _proof(uint256 commitment, uint256 zeta, uint256 y, address payout)
        internal
        pure
        returns (uint256[] memory proof)
    {
        proof = new uint256[](8);
        proof[0] = uint256(keccak256(abi.encodePacked(commitment, zeta, y, uint256(uint160(payout)))));
    }

    function _commit(uint256 number) internal {
        _commit(number, _data(number));
    }

    function _commit(uint256 number, bytes memory data) internal {
        vm.prank(OPERATOR);
        rollup.commit(data, _commitment(number));
    }

    function _inputs(uint256 number) internal view returns (uint256 c, uint256 zeta, uint256 y) {
        return _inputs(number, _data(number), new uint256[](0), _some());
    }

    function _inputs(uint256 number, bytes memory data, uint256[] memory items, BatchData.Sections memory used)
        internal
        pure
        returns (uint256 c, uint256 zeta, uint256 y)
    {
        c = _commitment(number);
        zeta = _zeta(data, items, c);
        y = _y(data, items, used, zeta);
    }

    function _prove(uint256 number) internal {
        _prove(number, _data(number), new uint256[](0), _some());
    }

    function _prove(uint256 number, bytes memory data, uint256[] memory items, BatchData.Sections memory used)
        internal
    {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(number, data, items, used);
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

    /// @dev A queue item's two words, as docs/protocol.md packs them.
    function _item(uint256 kind, uint256 a, uint256 b, uint256 amount, address sender)
        internal
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](2);
        words[0] = kind + a * 2 ** 8 + b * 2 ** 40 + amount * 2 ** 72;
        words[1] = uint160(sender);
    }

    /// @dev An amount and the address that has a claim on it.
    function _claimWord(address to, uint256 amount) internal pure returns (uint256) {
        return amount | uint256(uint160(to)) << 88;
    }
}
