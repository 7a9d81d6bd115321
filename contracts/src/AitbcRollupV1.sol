// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchDataV1} from "./BatchDataV1.sol";
import {IVerifier} from "./IVerifier.sol";

/// @title State roots of one shard, each proven from the one before
/// @notice A batch is committed (its data posted, by the operator), proven (by anyone), finalized (by anyone), in
/// order of number. Nothing here trusts the operator: a root is proven only with a proof about exactly the posted
/// data. docs/protocol.md, sections "Data", "Binding the data" and "L1", is the text this implements.
/// @dev What a batch's data say is checked word for word against this contract's state at commit. That the new root
/// follows from the old one is the proof's part. Proofs are malleable: the state machine, not the proof, stops replay.
contract AitbcRollupV1 {
    /// @notice What is kept of a batch.
    /// @param binding keccak256(C ‖ ζ ‖ y): the public inputs a proof must have.
    /// @param newRoot State root after the batch.
    /// @param l1Time Unix seconds, as the batch states it.
    struct Batch {
        bytes32 binding;
        uint256 newRoot;
        uint64 l1Time;
    }

    /// @notice The data of a batch were posted, and are the next to be proven after those before.
    event BatchCommitted(
        uint256 indexed batchNumber,
        uint256 indexed newRoot,
        bytes32 indexed dataHash,
        uint256 commitment,
        uint256 zeta,
        uint256 y
    );
    /// @notice A proof for the batch was verified; `payout` is the address its maker bound into it.
    event BatchProven(uint256 indexed batchNumber, uint256 indexed newRoot, address indexed payout);
    /// @notice Every batch up to this one is final, and `stateRoot` is the shard's root.
    event BatchFinalized(uint256 indexed batchNumber, uint256 indexed stateRoot);
    /// @notice Batches `from` to `to`, committed and not proven, are void.
    event BatchesRolledBack(uint256 indexed from, uint256 indexed to);

    /// @notice The verifier takes another number of public inputs than the four of a batch.
    error VerifierInputsWrong(uint256 expected, uint256 got);
    /// @notice A constructor argument that no batch could satisfy, by its position.
    error ArgumentInvalid(uint256 position);
    /// @notice Development keys, of the set-up or of sessions, are refused on a chain that is not listed for them.
    error DevelopmentKeyRefused(uint256 chainId);
    /// @notice Only the operator commits and rolls back.
    error NotOperator(address caller);

    /// @notice C is not below r, so no proof could have it as public input.
    error CommitmentNotInField(uint256 commitment);
    /// @notice Header word 0: the data have another version.
    error VersionWrong(uint256 expected, uint256 got);
    /// @notice Header word 1: the data are for another chain.
    error ChainIdWrong(uint256 expected, uint256 got);
    /// @notice Header word 2: the data are for another contract.
    error ContractWrong(uint256 expected, uint256 got);
    /// @notice Header word 3: the data are for another shard.
    error ShardWrong(uint256 expected, uint256 got);
    /// @notice Header word 4, or the number given to a proof: batches go in order.
    error BatchNumberWrong(uint256 expected, uint256 got);
    /// @notice Header word 5: bits above its three counts are set.
    error CountsWrong(uint256 got);
    /// @notice The data's length does not follow from the number of sessions in header word 5.
    error DataLengthWrong(uint256 expected, uint256 got);
    /// @notice Header word 6: not the length of the data in bytes.
    error ByteLengthWrong(uint256 expected, uint256 got);
    /// @notice Header word 7: a bit is set that has no meaning.
    error ModeUnknown(uint256 got);
    /// @notice Header word 8: the L1 time is later than the block.
    error L1TimeInFuture(uint256 latest, uint256 got);
    /// @notice Header word 8: the L1 time is before that of the last batch.
    error L1TimeBeforeLastBatch(uint256 earliest, uint256 got);
    /// @notice Header word 8: the L1 time is further back than the age limit.
    error L1TimeTooOld(uint256 earliest, uint256 got);
    /// @notice Header word 9: the old root is not the new root of the batch before.
    error OldRootWrong(uint256 expected, uint256 got);
    /// @notice Header word 11: the queue digest is 0 in version 1.
    error QueueDigestNotZero(uint256 got);
    /// @notice Header word 12: the withdrawals digest is 0 in version 1.
    error WithdrawalsDigestNotZero(uint256 got);

    /// @notice No such batch is committed.
    error BatchUnknown(uint256 batchNumber);
    /// @notice The public inputs or the data are not those of the commit.
    error BindingWrong(bytes32 expected, bytes32 got);
    /// @notice Batches before wait for their proofs, so this one cannot be proven with its commit.
    error BatchesUnproven(uint256 proven, uint256 committed);
    /// @notice The batch is final already, or not proven yet.
    error NotFinalizable(uint256 finalized, uint256 proven, uint256 got);
    /// @notice The batch is proven, or not committed: it cannot be rolled back.
    error NotRevocable(uint256 proven, uint256 committed, uint256 got);

    /// @notice Version of the data's layout, header word 0.
    uint256 public constant VERSION = 1;
    uint256 private constant INPUTS = 4;
    uint256 private constant MODE_DEVELOPMENT = 1;

    /// @notice Verifier of this rollup's one circuit.
    IVerifier public immutable verifier;
    /// @notice The shard whose roots these are.
    uint256 public immutable shard;
    /// @notice Who commits, and rolls back what is not proven.
    address public immutable operator;
    /// @notice How far back, in seconds, a batch's L1 time may lie.
    uint256 public immutable maxAge;
    /// @notice The chain on which development keys are allowed: the one of deployment if it was listed, otherwise 0.
    uint256 public immutable developmentChainId;
    bool private immutable VERIFIER_IS_DEVELOPMENT;

    /// @notice Number of the last batch committed; 0 before the first.
    uint64 public committedBatches;
    /// @notice Number of the last batch proven; 0 before the first.
    uint64 public provenBatches;
    /// @notice Number of the last batch finalized; 0 before the first.
    uint64 public finalizedBatches;
    /// @dev Batch 0 is the genesis: its root, and time 0.
    mapping(uint256 batchNumber => Batch) private _batches;

    modifier onlyOperator() {
        if (msg.sender != operator) revert NotOperator(msg.sender);
        _;
    }

    /// @param verifier_ Verifier of four public inputs: C, ζ, y, payout.
    /// @param genesisRoot State root before the first batch.
    /// @param shard_ Shard id, below r.
    /// @param operator_ Who commits.
    /// @param maxAge_ Age limit of a batch's L1 time, in seconds, not 0.
    /// @param developmentChainIds Chains on which a verifier or sessions with development keys are allowed.
    constructor(
        IVerifier verifier_,
        uint256 genesisRoot,
        uint256 shard_,
        address operator_,
        uint256 maxAge_,
        uint256[] memory developmentChainIds
    ) {
        if (verifier_.inputCount() != INPUTS) {
            revert VerifierInputsWrong(INPUTS, verifier_.inputCount());
        }
        if (genesisRoot >= BatchDataV1.R) revert ArgumentInvalid(1);
        if (shard_ >= BatchDataV1.R) revert ArgumentInvalid(2);
        if (operator_ == address(0)) revert ArgumentInvalid(3);
        if (maxAge_ == 0) revert ArgumentInvalid(4);
        uint256 listed = 0;
        for (uint256 i = 0; i < developmentChainIds.length; ++i) {
            if (developmentChainIds[i] == block.chainid) listed = block.chainid;
        }
        bool development = verifier_.isDevelopment();
        if (development && listed == 0) revert DevelopmentKeyRefused(block.chainid);

        verifier = verifier_;
        shard = shard_;
        operator = operator_;
        maxAge = maxAge_;
        developmentChainId = listed;
        VERIFIER_IS_DEVELOPMENT = development;
        _batches[0].newRoot = genesisRoot;
    }

    /// @notice Posts the next batch.
    /// @param data 13 header words and 3 words a session, big-endian, each below r.
    /// @param commitment C, the Poseidon commitment to the data's words, padded as the circuit pads them. Not checked
    /// here: with a wrong one the batch is provable only through `proveWithData`.
    function commit(bytes calldata data, uint256 commitment) external onlyOperator {
        _commit(data, commitment);
    }

    /// @notice Proves the batch after the last proven one.
    /// @param batchNumber Its number.
    /// @param commitment C as committed.
    /// @param zeta The point the contract drew at commit (`BatchCommitted`).
    /// @param y The data's polynomial there (`BatchCommitted`).
    /// @param payout Address bound into the proof by its maker.
    /// @param proof Groth16 proof for the public inputs C, ζ, y, payout.
    function prove(
        uint256 batchNumber,
        uint256 commitment,
        uint256 zeta,
        uint256 y,
        address payout,
        uint256[] calldata proof
    ) external {
        _checkBinding(batchNumber, commitment, zeta, y);
        _prove(batchNumber, commitment, zeta, y, payout, proof);
    }

    /// @notice `commit` and `prove` in one transaction, when every batch before is proven.
    function commitAndProve(bytes calldata data, uint256 commitment, address payout, uint256[] calldata proof)
        external
        onlyOperator
    {
        if (provenBatches != committedBatches) revert BatchesUnproven(provenBatches, committedBatches);
        (uint256 batchNumber, uint256 zeta, uint256 y) = _commit(data, commitment);
        _prove(batchNumber, commitment, zeta, y, payout, proof);
    }

    /// @notice Proves a batch with another C than the operator committed to: that one was wrong, or no longer known.
    /// @param batchNumber Number of the batch after the last proven one.
    /// @param data The data as committed.
    /// @param committed The C given at commit (`BatchCommitted`); with it the data are recognised.
    /// @param commitment The right C; ζ and y are drawn anew from it.
    /// @param payout Address bound into the proof by its maker.
    /// @param proof Groth16 proof for the public inputs C, ζ, y, payout.
    function proveWithData(
        uint256 batchNumber,
        bytes calldata data,
        uint256 committed,
        uint256 commitment,
        address payout,
        uint256[] calldata proof
    ) external {
        _checkLength(data);
        bytes32 dataHash = keccak256(data);
        uint256 zeta = BatchDataV1.challenge(committed, dataHash);
        _checkBinding(batchNumber, committed, zeta, BatchDataV1.evaluate(data, zeta));
        zeta = BatchDataV1.challenge(commitment, dataHash);
        _prove(batchNumber, commitment, zeta, BatchDataV1.evaluate(data, zeta), payout, proof);
    }

    /// @notice Makes every proven batch up to `upTo` final.
    function finalize(uint256 upTo) external {
        if (upTo <= finalizedBatches || upTo > provenBatches) {
            revert NotFinalizable(finalizedBatches, provenBatches, upTo);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        finalizedBatches = uint64(upTo); // at most provenBatches
        emit BatchFinalized(upTo, _batches[upTo].newRoot);
    }

    /// @notice Voids batch `from` and all after it; none of them may be proven.
    function rollback(uint256 from) external onlyOperator {
        uint256 to = committedBatches;
        if (from <= provenBatches || from > to) revert NotRevocable(provenBatches, to, from);
        // forge-lint: disable-next-line(unsafe-typecast)
        committedBatches = uint64(from - 1); // at most committedBatches
        emit BatchesRolledBack(from, to);
    }

    /// @notice The shard's state root: that of the last finalized batch.
    function stateRoot() external view returns (uint256) {
        return _batches[finalizedBatches].newRoot;
    }

    /// @notice What is kept of a committed batch; number 0 is the genesis.
    function batch(uint256 batchNumber) external view returns (Batch memory) {
        if (batchNumber > committedBatches) revert BatchUnknown(batchNumber);
        return _batches[batchNumber];
    }

    function _commit(bytes calldata data, uint256 commitment)
        private
        returns (uint256 batchNumber, uint256 zeta, uint256 y)
    {
        if (commitment >= BatchDataV1.R) revert CommitmentNotInField(commitment);
        batchNumber = uint256(committedBatches) + 1;
        _checkHeader(data, batchNumber);

        bytes32 dataHash = keccak256(data);
        zeta = BatchDataV1.challenge(commitment, dataHash);
        y = BatchDataV1.evaluate(data, zeta);

        uint256 newRoot = BatchDataV1.word(data, 10);
        // forge-lint: disable-next-item(unsafe-typecast)
        _batches[batchNumber] = Batch({
            binding: keccak256(abi.encode(commitment, zeta, y)),
            newRoot: newRoot,
            l1Time: uint64(BatchDataV1.word(data, 8)) // at most block.timestamp
        });
        // forge-lint: disable-next-line(unsafe-typecast)
        committedBatches = uint64(batchNumber); // one more than a uint64, reached one transaction at a time
        emit BatchCommitted(batchNumber, newRoot, dataHash, commitment, zeta, y);
    }

    /// @dev Every header word but the new root, which is the proof's; that each is below r, `evaluate` checks.
    function _checkHeader(bytes calldata data, uint256 batchNumber) private view {
        _checkLength(data);
        uint256 got = BatchDataV1.word(data, 0);
        if (got != VERSION) revert VersionWrong(VERSION, got);
        got = BatchDataV1.word(data, 1);
        if (got != block.chainid) revert ChainIdWrong(block.chainid, got);
        got = BatchDataV1.word(data, 2);
        if (got != uint160(address(this))) revert ContractWrong(uint160(address(this)), got);
        got = BatchDataV1.word(data, 3);
        if (got != shard) revert ShardWrong(shard, got);
        got = BatchDataV1.word(data, 4);
        if (got != batchNumber) revert BatchNumberWrong(batchNumber, got);
        _checkMode(BatchDataV1.word(data, 7));
        Batch storage last = _batches[batchNumber - 1];
        _checkTime(BatchDataV1.word(data, 8), last.l1Time);
        got = BatchDataV1.word(data, 9);
        if (got != last.newRoot) revert OldRootWrong(last.newRoot, got);
        got = BatchDataV1.word(data, 11);
        if (got != 0) revert QueueDigestNotZero(got);
        got = BatchDataV1.word(data, 12);
        if (got != 0) revert WithdrawalsDigestNotZero(got);
    }

    /// @dev Header words 5 and 6 against the length: 13 words and 3 a session.
    function _checkLength(bytes calldata data) private pure {
        if (data.length < BatchDataV1.HEADER_BYTES) revert DataLengthWrong(BatchDataV1.HEADER_BYTES, data.length);
        uint256 counts = BatchDataV1.word(data, 5);
        if (counts >> 96 != 0) revert CountsWrong(counts);
        uint256 expected = BatchDataV1.HEADER_BYTES + BatchDataV1.SESSION_BYTES * (counts & type(uint32).max);
        if (data.length != expected) revert DataLengthWrong(expected, data.length);
        uint256 got = BatchDataV1.word(data, 6);
        if (got != expected) revert ByteLengthWrong(expected, got);
    }

    function _checkMode(uint256 mode) private view {
        if (mode & ~MODE_DEVELOPMENT != 0) revert ModeUnknown(mode);
        // The chain's id is read anew: a fork that takes another id leaves the list.
        if ((mode != 0 || VERIFIER_IS_DEVELOPMENT) && block.chainid != developmentChainId) {
            revert DevelopmentKeyRefused(block.chainid);
        }
    }

    function _checkTime(uint256 l1Time, uint256 earliest) private view {
        // A validator moves the timestamp by seconds; expiries of sessions are no finer.
        // forge-lint: disable-start(block-timestamp)
        if (l1Time > block.timestamp) revert L1TimeInFuture(block.timestamp, l1Time);
        if (l1Time < earliest) revert L1TimeBeforeLastBatch(earliest, l1Time);
        if (block.timestamp - l1Time > maxAge) revert L1TimeTooOld(block.timestamp - maxAge, l1Time);
        // forge-lint: disable-end(block-timestamp)
    }

    /// @dev The batch is the next to be proven, and these are the public inputs of its commit.
    function _checkBinding(uint256 batchNumber, uint256 commitment, uint256 zeta, uint256 y) private view {
        if (batchNumber != uint256(provenBatches) + 1) {
            revert BatchNumberWrong(uint256(provenBatches) + 1, batchNumber);
        }
        if (batchNumber > committedBatches) revert BatchUnknown(batchNumber);
        bytes32 got = keccak256(abi.encode(commitment, zeta, y));
        bytes32 expected = _batches[batchNumber].binding;
        if (got != expected) revert BindingWrong(expected, got);
    }

    function _prove(
        uint256 batchNumber,
        uint256 commitment,
        uint256 zeta,
        uint256 y,
        address payout,
        uint256[] calldata proof
    ) private {
        // forge-lint: disable-next-line(unsafe-typecast)
        provenBatches = uint64(batchNumber); // at most committedBatches
        uint256[] memory inputs = new uint256[](INPUTS);
        (inputs[0], inputs[1], inputs[2], inputs[3]) = (commitment, zeta, y, uint160(payout));
        verifier.verify(proof, inputs);
        emit BatchProven(batchNumber, _batches[batchNumber].newRoot, payout);
    }
}
