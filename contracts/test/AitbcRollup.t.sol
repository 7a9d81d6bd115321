// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {Groth16Verifier, Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {Test} from "./Test.sol";

/// @dev Holds a proof valid if its first word is the hash of the public inputs: so a test proves what it says.
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

contract RollupConstructionTest is RollupTest {
    function test_Views() public view {
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        assertEq(rollup.batch(0).newRoot, GENESIS_ROOT);
        assertEq(rollup.shard(), SHARD);
        assertEq(uint160(rollup.operator()), uint160(OPERATOR));
        assertEq(rollup.maxAge(), MAX_AGE);
        assertEq(rollup.developmentChainId(), CHAIN);
        assertEq(rollup.VERSION(), 1);
        _counters(0, 0, 0);
    }

    function test_VerifierMustTakeFourInputs() public {
        IVerifier three = new MockVerifier(false, 3);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.VerifierInputsWrong.selector, 4, 3));
        new AitbcRollup(three, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
    }

    function test_ArgumentsMustBePossible() public {
        IVerifier verifier = rollup.verifier();
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 1));
        new AitbcRollup(verifier, R, SHARD, OPERATOR, MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 2));
        new AitbcRollup(verifier, GENESIS_ROOT, R, OPERATOR, MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 3));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, address(0), MAX_AGE, _listed());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ArgumentInvalid.selector, 4));
        new AitbcRollup(verifier, GENESIS_ROOT, SHARD, OPERATOR, 0, _listed());
    }

    function test_DevelopmentVerifierIsRefusedOffListedChains() public {
        IVerifier development = new MockVerifier(true, 4);
        AitbcRollup there = _rollup(development);
        assertEq(there.developmentChainId(), CHAIN);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
        vm.chainId(CHAIN);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, CHAIN));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, new uint256[](0));
    }

    function test_RealDevelopmentKeyIsRefusedOffListedChains() public {
        IVerifier development = IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY)));
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1));
        new AitbcRollup(development, GENESIS_ROOT, SHARD, OPERATOR, MAX_AGE, _listed());
    }
}

contract RollupHeaderTest is RollupTest {
    function _refused(uint256 index, uint256 value, bytes memory why) private {
        uint256[] memory words = _words(1, 2);
        words[index] = value;
        _expectCommitRevert(abi.encodePacked(words), why);
    }

    function _refused(uint256 index, uint256 value, bytes4 why, uint256 expected) private {
        _refused(index, value, abi.encodeWithSelector(why, expected, value));
    }

    function test_Version() public {
        _refused(0, 0, AitbcRollup.VersionWrong.selector, 1);
        _refused(0, 2, AitbcRollup.VersionWrong.selector, 1);
    }

    function test_ChainId() public {
        _refused(1, 1, AitbcRollup.ChainIdWrong.selector, CHAIN);
    }

    function test_Contract() public {
        uint256 own = uint160(address(rollup));
        _refused(2, own ^ 1, AitbcRollup.ContractWrong.selector, own);
        _refused(2, own | (1 << 160), AitbcRollup.ContractWrong.selector, own);
    }

    function test_Shard() public {
        _refused(3, SHARD + 1, AitbcRollup.ShardWrong.selector, SHARD);
    }

    function test_BatchNumber() public {
        _refused(4, 0, AitbcRollup.BatchNumberWrong.selector, 1);
        _refused(4, 2, AitbcRollup.BatchNumberWrong.selector, 1);
    }

    function test_Counts() public {
        uint256 counts = _words(1, 2)[5];
        _refused(5, counts | (1 << 96), abi.encodeWithSelector(AitbcRollup.CountsWrong.selector, counts | (1 << 96)));
        _refused(5, counts + 1, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 22 * 32, 19 * 32));
        _refused(5, counts - 1, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 16 * 32, 19 * 32));
    }

    function test_ByteLength() public {
        _refused(6, 19 * 32 + 1, AitbcRollup.ByteLengthWrong.selector, 19 * 32);
        _refused(6, 0, AitbcRollup.ByteLengthWrong.selector, 19 * 32);
    }

    function test_Mode() public {
        _refused(7, 2, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 2));
        _refused(7, 1 << 253, abi.encodeWithSelector(AitbcRollup.ModeUnknown.selector, 1 << 253));
    }

    function test_L1Time() public {
        _refused(8, NOW + 1, AitbcRollup.L1TimeInFuture.selector, NOW);
        _refused(8, NOW - MAX_AGE - 1, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
        _refused(8, 0, AitbcRollup.L1TimeTooOld.selector, NOW - MAX_AGE);
    }

    function test_L1TimeAtItsLimits() public {
        uint256[] memory words = _words(1, 2);
        words[8] = NOW - MAX_AGE;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
        words = _words(2, 2);
        words[8] = NOW;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
        assertEq(rollup.batch(2).l1Time, NOW);
    }

    function test_L1TimeBeforeLastBatch() public {
        _commit(1);
        uint256[] memory words = _words(2, 2);
        uint256 last = rollup.batch(1).l1Time;
        words[8] = last - 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.L1TimeBeforeLastBatch.selector, last, last - 1)
        );
        words[8] = last;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(2));
    }

    function test_OldRoot() public {
        _refused(9, GENESIS_ROOT + 1, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
        _refused(9, GENESIS_ROOT + R, AitbcRollup.OldRootWrong.selector, GENESIS_ROOT);
    }

    function test_NewRootMustBeInField() public {
        _refused(10, R, abi.encodeWithSelector(BatchData.WordNotInField.selector, 10));
    }

    function test_QueueDigest() public {
        _refused(11, 1, abi.encodeWithSelector(AitbcRollup.QueueDigestNotZero.selector, 1));
    }

    function test_WithdrawalsDigest() public {
        _refused(12, 1, abi.encodeWithSelector(AitbcRollup.WithdrawalsDigestNotZero.selector, 1));
    }

    function test_EveryWordMustBeInField() public {
        for (uint256 i = 13; i < 19; ++i) {
            bytes memory why = abi.encodeWithSelector(BatchData.WordNotInField.selector, i);
            _refused(i, R, why);
            _refused(i, type(uint256).max, why);
        }
    }

    function test_DataShorterThanHeader() public {
        _expectCommitRevert("", abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 416, 0));
        _expectCommitRevert(new bytes(415), abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 416, 415));
    }

    function test_DataWithOneByteMoreOrLess() public {
        bytes memory data = _data(1);
        _expectCommitRevert(
            bytes.concat(data, hex"00"), abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 608, 609)
        );
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        _expectCommitRevert(data, abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 608, 607));
    }

    function test_CommitmentMustBeInField() public {
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.CommitmentNotInField.selector, R));
        rollup.commit(data, R);
    }

    function test_DevelopmentBatchOnlyWhereListed() public {
        uint256[] memory words = _words(1, 2);
        words[7] = 1;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));

        vm.chainId(1);
        rollup = _rollup(rollup.verifier());
        words = _words(1, 2);
        words[1] = 1;
        words[7] = 1;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1)
        );
        words[7] = 0;
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), _commitment(1));
    }

    function test_ForkWithAnotherIdRefusesDevelopmentVerifier() public {
        rollup = _rollup(new MockVerifier(true, 4));
        vm.chainId(1337); // listed, but not where this contract was deployed
        uint256[] memory words = _words(1, 2);
        words[1] = 1337;
        _expectCommitRevert(
            abi.encodePacked(words), abi.encodeWithSelector(AitbcRollup.DevelopmentKeyRefused.selector, 1337)
        );
    }
}

contract RollupBatchesTest is RollupTest {
    function test_CommitKeepsBindingRootAndTime() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.expectEmit();
        emit AitbcRollup.BatchCommitted(1, _root(1), keccak256(data), c, zeta, y);
        vm.prank(OPERATOR);
        rollup.commit(data, c);
        AitbcRollup.Batch memory kept = rollup.batch(1);
        assertEq(uint256(kept.binding), uint256(keccak256(abi.encodePacked(c, zeta, y))));
        assertEq(kept.newRoot, _root(1));
        assertEq(kept.l1Time, NOW - 99);
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        _counters(1, 0, 0);
    }

    function test_OnlyTheOperatorCommits() public {
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.commit(data, c);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _commit(1);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotOperator.selector, ANYONE));
        rollup.rollback(1);
    }

    function test_FromGenesisToFinal() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
        }
        _counters(3, 0, 0);
        for (uint256 i = 1; i <= 3; ++i) {
            vm.expectEmit();
            emit AitbcRollup.BatchProven(i, _root(i), PAYOUT);
            _prove(i);
        }
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        vm.expectEmit();
        emit AitbcRollup.BatchFinalized(2, _root(2));
        vm.prank(ANYONE);
        rollup.finalize(2);
        assertEq(rollup.stateRoot(), _root(2));
        _counters(3, 3, 2);
        rollup.finalize(3);
        assertEq(rollup.stateRoot(), _root(3));
    }

    function test_CommitAndProve() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _counters(1, 1, 0);
    }

    function test_CommitAndProveNeedsAllBeforeProven() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        bytes memory data = _data(2);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchesUnproven.selector, 0, 1));
        rollup.commitAndProve(data, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_CommitAndProveWithABadProofLeavesNothing() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes memory data = _data(1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.commitAndProve(data, c, ANYONE, _proof(c, zeta, y, PAYOUT));
        _counters(0, 0, 0);
    }

    function test_ProveInOrderAndOnce() public {
        _commit(1);
        _commit(2);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchNumberWrong.selector, 1, 2));
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _prove(1);
        (c, zeta, y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchNumberWrong.selector, 2, 1));
        rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveNeedsACommit() public {
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 1));
        rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveNeedsThePublicInputsOfTheCommit() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        bytes32 binding = rollup.batch(1).binding;
        for (uint256 i = 0; i < 3; ++i) {
            uint256[3] memory x = [c, zeta, y];
            ++x[i];
            bytes32 got = keccak256(abi.encodePacked(x[0], x[1], x[2]));
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
            rollup.prove(1, x[0], x[1], x[2], PAYOUT, _proof(x[0], x[1], x[2], PAYOUT));
        }
    }

    function test_ProofIsBoundToItsPayout() public {
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.prove(1, c, zeta, y, ANYONE, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataMendsAWrongCommitment() public {
        bytes memory data = _data(1);
        uint256 wrong = 12345;
        vm.prank(OPERATOR);
        rollup.commit(data, wrong);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(ANYONE);
        rollup.proveWithData(1, data, wrong, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _counters(1, 1, 0);
    }

    function test_ProveWithDataNeedsTheDataOfTheCommit() public {
        _commit(1);
        bytes memory data = _data(1);
        data[13 * 32 + 31] ^= 0x01;
        uint256 c = _commitment(1);
        uint256 zeta = _zeta(data, c);
        uint256 y = _y(data, zeta);
        bytes32 got = keccak256(abi.encodePacked(c, zeta, y));
        bytes32 binding = rollup.batch(1).binding;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
        rollup.proveWithData(1, data, c, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataNeedsTheCommitmentOfTheCommit() public {
        _commit(1);
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        uint256 other = _zeta(data, c + 1);
        bytes32 got = keccak256(abi.encodePacked(c + 1, other, _y(data, other)));
        bytes32 binding = rollup.batch(1).binding;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, got));
        rollup.proveWithData(1, data, c + 1, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataNeedsTheRightProof() public {
        _commit(1);
        bytes memory data = _data(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(MockVerifier.MockProofInvalid.selector));
        rollup.proveWithData(1, data, c, c + 1, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_ProveWithDataOfNoSuchLength() public {
        _commit(1);
        uint256[8] memory proof;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.DataLengthWrong.selector, 416, 33));
        rollup.proveWithData(1, new bytes(33), 1, 1, PAYOUT, proof);
    }

    function test_FinalizeOnlyWhatIsProvenAndOnce() public {
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 0, 0));
        rollup.finalize(0);
        _commit(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 0, 1));
        rollup.finalize(1);
        _prove(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 0, 1, 2));
        rollup.finalize(2);
        rollup.finalize(1);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotFinalizable.selector, 1, 1, 1));
        rollup.finalize(1);
    }

    function test_RollbackVoidsWhatIsNotProven() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _commit(i);
        }
        _prove(1);
        vm.expectEmit();
        emit AitbcRollup.BatchesRolledBack(2, 3);
        vm.prank(OPERATOR);
        rollup.rollback(2);
        _counters(1, 1, 0);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 2));
        rollup.batch(2);

        // A void batch cannot be proven, and its number is free for another.
        (uint256 c, uint256 zeta, uint256 y) = _inputs(2);
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 2));
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
        uint256[] memory words = _words(2, 0);
        vm.prank(OPERATOR);
        rollup.commit(abi.encodePacked(words), 5);
        bytes32 binding = rollup.batch(2).binding;
        vm.expectRevert(
            abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, binding, keccak256(abi.encodePacked(c, zeta, y)))
        );
        rollup.prove(2, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
    }

    function test_RollbackNeverReachesProvenBatches() public {
        _commit(1);
        _commit(2);
        _prove(1);
        uint256[3] memory targets = [uint256(0), 1, 3];
        for (uint256 i = 0; i < targets.length; ++i) {
            vm.prank(OPERATOR);
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.NotRevocable.selector, 1, 2, targets[i]));
            rollup.rollback(targets[i]);
        }
    }

    function test_BatchUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BatchUnknown.selector, 1));
        rollup.batch(1);
    }

    /// @dev ζ and y of the contract are those of the plain formula, for any words and number of sessions.
    function testFuzz_ZetaAndY(uint256 seed, uint256 commitment, uint256 sessions) public {
        commitment %= R;
        uint256[] memory words = _words(1, bound(sessions, 0, 12));
        for (uint256 i = 13; i < words.length; ++i) {
            words[i] = uint256(keccak256(abi.encode(seed, i))) % R;
        }
        if (words.length > 13) words[13] = R - 1;
        bytes memory data = abi.encodePacked(words);
        uint256 zeta = _zeta(data, commitment);
        vm.expectEmit();
        emit AitbcRollup.BatchCommitted(1, _root(1), keccak256(data), commitment, zeta, _y(data, zeta));
        vm.prank(OPERATOR);
        rollup.commit(data, commitment);
    }

    /// @dev Whatever one word is replaced with, the commit reverts or its binding differs.
    function testFuzz_EveryWordIsBound(uint256 index, uint256 value) public {
        uint256[] memory words = _words(1, 2);
        index = bound(index, 0, words.length - 1);
        if (words[index] == value) return;
        words[index] = value;
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.prank(OPERATOR);
        try rollup.commit(abi.encodePacked(words), c) {
            assertTrue(
                rollup.batch(1).binding != keccak256(abi.encodePacked(c, zeta, y)), "other data have another binding"
            );
        } catch {
            _counters(0, 0, 0);
        }
    }

    /// @dev Any sequence of steps, right and wrong ones, moves the counters as the three-line model says.
    function testFuzz_AnySequenceOfSteps(uint8[24] memory steps) public {
        uint256 committed;
        uint256 proven;
        uint256 finalized;
        for (uint256 i = 0; i < steps.length; ++i) {
            uint256 target = uint256(steps[i]) / 4 % 8;
            bool allowed;
            bytes memory call;
            if (steps[i] % 4 == 0) {
                allowed = target == committed + 1;
                if (target == 0) continue;
                call = abi.encodeCall(rollup.commit, (_data(target), _commitment(target)));
                if (allowed) committed = target;
            } else if (steps[i] % 4 == 1) {
                allowed = target == proven + 1 && target <= committed;
                if (target == 0) continue;
                (uint256 c, uint256 zeta, uint256 y) = _inputs(target);
                call = abi.encodeCall(rollup.prove, (target, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT)));
                if (allowed) proven = target;
            } else if (steps[i] % 4 == 2) {
                allowed = target > finalized && target <= proven;
                call = abi.encodeCall(rollup.finalize, (target));
                if (allowed) finalized = target;
            } else {
                allowed = target > proven && target <= committed;
                call = abi.encodeCall(rollup.rollback, (target));
                if (allowed) committed = target - 1;
            }
            vm.prank(OPERATOR);
            (bool ok,) = address(rollup).call(call);
            assertTrue(ok == allowed, "a step succeeds exactly when the model allows it");
            _counters(committed, proven, finalized);
            assertEq(rollup.stateRoot(), _root(finalized));
        }
    }

    /// @dev 256 sessions, about 4,096 records: the gas of a full batch, in the snapshot.
    function test_GasOfAFullBatch() public {
        bytes memory data = abi.encodePacked(_words(1, 256));
        vm.prank(OPERATOR);
        rollup.commit(data, 1);
    }
}

/// @dev The rollup with the real verifier and a real proof of other public inputs.
contract RollupWithRealVerifierTest is RollupTest {
    function test_ProofOfOtherInputsIsRefused() public {
        rollup = _rollup(IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY))));
        _commit(1);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1);
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        rollup.prove(1, c, zeta, y, PAYOUT, Groth16Vector.proof());
        _counters(1, 0, 0);
    }
}
