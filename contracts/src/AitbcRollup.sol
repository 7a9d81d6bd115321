// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {Claims} from "./Claims.sol";
import {IVerifier} from "./IVerifier.sol";
import {Queue} from "./Queue.sol";

/// @title State roots of one shard, each proven from the one before
/// @notice A batch is committed (its data posted, by the operator), proven (by anyone), finalized (by anyone), in
/// order of number. Nothing here trusts the operator: a root is proven only with a proof about exactly the posted
/// data and exactly the queue items that were next. docs/protocol.md, sections "Data", "Binding the data" and "L1",
/// is the text this implements.
/// @dev What a batch's data say is checked word for word against this contract's state at commit. That the new root
/// follows from the old one is the proof's part. Proofs are malleable: the state machine, not the proof, stops replay.
contract AitbcRollup is Queue, Claims {
    /// @notice What is kept of a batch.
    /// @param binding keccak256(C ‖ ζ ‖ y): the public inputs a proof must have.
    /// @param newRoot State root after the batch.
    /// @param l1Time Unix seconds, as the batch states it.
    /// @param lastItem Number of the last queue item that this batch or one before it takes.
    /// @param claims keccak256 of the batch's queue results and transfers, 0 if it has none.
    struct Batch {
        bytes32 binding;
        uint256 newRoot;
        uint64 l1Time;
        uint64 lastItem;
        bytes32 claims;
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
    /// @notice Header word 5: bits above its last count are set.
    error CountsWrong(uint256 got);
    /// @notice Header word 5: a count is above the circuit's room. Counts go from 0: queue items, registrations,
    /// transfers, sessions.
    error RoomExceeded(uint256 count, uint256 room, uint256 got);
    /// @notice Header word 5: more queue items than are waiting.
    error QueueTooShort(uint256 waiting, uint256 got);
    /// @notice The data's length does not follow from the counts of header word 5.
    error DataLengthWrong(uint256 expected, uint256 got);
    /// @notice Header word 6: a bit is set that has no meaning.
    error ModeUnknown(uint256 got);
    /// @notice Header word 7: the L1 time is later than the block.
    error L1TimeInFuture(uint256 latest, uint256 got);
    /// @notice Header word 7: the L1 time is before that of the last batch.
    error L1TimeBeforeLastBatch(uint256 earliest, uint256 got);
    /// @notice Header word 7: the L1 time is further back than the age limit.
    error L1TimeTooOld(uint256 earliest, uint256 got);
    /// @notice Header word 8: the old root is not the new root of the batch before.
    error OldRootWrong(uint256 expected, uint256 got);

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
    uint256 public constant VERSION = 2;
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
    /// @notice How many registrations a batch can have; for queue items see `queueRoom`.
    uint256 public immutable registrationRoom;
    /// @notice How many transfers a batch can have.
    uint256 public immutable transferRoom;
    /// @notice How many sessions a batch can have.
    uint256 public immutable sessionRoom;
    bool private immutable VERIFIER_IS_DEVELOPMENT;

    /// @notice Number of the last batch committed; 0 before the first.
    uint64 public committedBatches;
    /// @notice Number of the last batch proven; 0 before the first.
    uint64 public provenBatches;
    /// @notice Number of the last batch finalized; 0 before the first.
    uint64 public finalizedBatches;
    /// @dev Batch 0 is the genesis: its root, time 0, no queue item.
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
    /// @param room The circuit's room: what its polynomial's places follow from.
    /// @param developmentChainIds Chains on which a verifier or sessions with development keys are allowed.
    constructor(
        IVerifier verifier_,
        uint256 genesisRoot,
        uint256 shard_,
        address operator_,
        uint256 maxAge_,
        BatchData.Sections memory room,
        uint256[] memory developmentChainIds
    ) Queue(room.queue) {
        if (verifier_.inputCount() != INPUTS) {
            revert VerifierInputsWrong(INPUTS, verifier_.inputCount());
        }
        if (genesisRoot >= BatchData.R) revert ArgumentInvalid(1);
        if (shard_ >= BatchData.R) revert ArgumentInvalid(2);
        if (operator_ == address(0)) revert ArgumentInvalid(3);
        if (maxAge_ == 0) revert ArgumentInvalid(4);
        if (!BatchData.areCounts(room)) revert ArgumentInvalid(5);
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
        registrationRoom = room.registrations;
        transferRoom = room.transfers;
        sessionRoom = room.sessions;
        developmentChainId = listed;
        VERIFIER_IS_DEVELOPMENT = development;
        _batches[0].newRoot = genesisRoot;
    }

    /// @notice Posts the next batch, which takes as many of the waiting queue items as its header says.
    /// @param data Header, queue results, registrations, transfers and sessions: 32-byte words, big-endian, below r.
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
        _checkNext(batchNumber);
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
        _checkNext(batchNumber);
        BatchData.Content memory content = _read(data, _batches[batchNumber - 1].lastItem);
        (uint256 zeta, uint256 y) = _draw(data, content, committed);
        _checkBinding(batchNumber, committed, zeta, y);
        (zeta, y) = _draw(data, content, commitment);
        _prove(batchNumber, commitment, zeta, y, payout, proof);
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

    /// @notice Voids batch `from` and all after it; none of them may be proven. Their queue items wait again.
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

    /// @notice Number of the last queue item that a committed batch takes.
    function committedQueue() external view returns (uint256) {
        return _batches[committedBatches].lastItem;
    }

    /// @notice Number of the last queue item that a proven batch takes.
    function provenQueue() external view returns (uint256) {
        return _batches[provenBatches].lastItem;
    }

    /// @notice Number of the last queue item that a final batch takes.
    function finalizedQueue() external view returns (uint256) {
        return _batches[finalizedBatches].lastItem;
    }

    function _commit(bytes calldata data, uint256 commitment)
        private
        returns (uint256 batchNumber, uint256 zeta, uint256 y)
    {
        if (commitment >= BatchData.R) revert CommitmentNotInField(commitment);
        batchNumber = uint256(committedBatches) + 1;
        Batch storage last = _batches[batchNumber - 1];
        BatchData.Content memory content = _read(data, last.lastItem);
        _checkHeader(data, batchNumber, last);
        (zeta, y) = _draw(data, content, commitment);

        // Every field is written: nothing stays of a batch of this number that was rolled back.
        // forge-lint: disable-next-item(unsafe-typecast)
        _batches[batchNumber] = Batch({
            binding: keccak256(abi.encode(commitment, zeta, y)),
            newRoot: BatchData.word(data, 9),
            l1Time: uint64(BatchData.word(data, 7)), // at most block.timestamp
            lastItem: last.lastItem + uint64(content.used.queue), // at most queuedItems
            claims: BatchData.claimsHash(data, content.used)
        });
        // forge-lint: disable-next-line(unsafe-typecast)
        committedBatches = uint64(batchNumber); // one more than a uint64, reached one transaction at a time
        emit BatchCommitted(batchNumber, BatchData.word(data, 9), content.dataHash, commitment, zeta, y);
    }

    /// @dev Every header word but the counts and the new root, which is the proof's; that each is below r, `evaluate`
    /// checks.
    function _checkHeader(bytes calldata data, uint256 batchNumber, Batch storage last) private view {
        uint256 got = BatchData.word(data, 0);
        if (got != VERSION) revert VersionWrong(VERSION, got);
        got = BatchData.word(data, 1);
        if (got != block.chainid) revert ChainIdWrong(block.chainid, got);
        got = BatchData.word(data, 2);
        if (got != uint160(address(this))) revert ContractWrong(uint160(address(this)), got);
        got = BatchData.word(data, 3);
        if (got != shard) revert ShardWrong(shard, got);
        got = BatchData.word(data, 4);
        if (got != batchNumber) revert BatchNumberWrong(batchNumber, got);
        _checkMode(BatchData.word(data, 6));
        _checkTime(BatchData.word(data, 7), last.l1Time);
        got = BatchData.word(data, 8);
        if (got != last.newRoot) revert OldRootWrong(last.newRoot, got);
    }

    /// @dev Header word 5 against the circuit's room and the data's length.
    function _checkCounts(bytes calldata data) private view returns (BatchData.Sections memory used) {
        if (data.length < BatchData.HEADER_BYTES) revert DataLengthWrong(BatchData.HEADER_BYTES, data.length);
        uint256 counts = BatchData.word(data, 5);
        if (counts >> BatchData.COUNTS_BITS != 0) revert CountsWrong(counts);
        used = BatchData.sections(counts);
        BatchData.Sections memory room = _room();
        if (used.queue > room.queue) revert RoomExceeded(0, room.queue, used.queue);
        if (used.registrations > room.registrations) revert RoomExceeded(1, room.registrations, used.registrations);
        if (used.transfers > room.transfers) revert RoomExceeded(2, room.transfers, used.transfers);
        if (used.sessions > room.sessions) revert RoomExceeded(3, room.sessions, used.sessions);
        uint256 expected = BatchData.length(used);
        if (data.length != expected) revert DataLengthWrong(expected, data.length);
    }

    /// @dev The data taken apart, with the words of the queue items that come after number `last`.
    function _read(bytes calldata data, uint256 last) private view returns (BatchData.Content memory content) {
        content.used = _checkCounts(data);
        uint256 waiting = queuedItems - last;
        if (content.used.queue > waiting) revert QueueTooShort(waiting, content.used.queue);
        content.items = _queueWords(last + 1, content.used.queue);
        content.dataHash = keccak256(data);
        content.itemsHash = keccak256(abi.encodePacked(content.items));
    }

    function _room() private view returns (BatchData.Sections memory) {
        return BatchData.Sections(queueRoom, registrationRoom, transferRoom, sessionRoom);
    }

    /// @dev ζ from a commitment and everything it is about, and y there.
    function _draw(bytes calldata data, BatchData.Content memory content, uint256 commitment)
        private
        view
        returns (uint256 zeta, uint256 y)
    {
        zeta = BatchData.challenge(commitment, content);
        y = BatchData.evaluate(data, content, _room(), zeta);
    }

    /// @inheritdoc Claims
    function _finalSection(uint256 batchNumber) internal view override returns (bytes32, uint256) {
        if (batchNumber == 0 || batchNumber > finalizedBatches) revert BatchNotFinal(finalizedBatches, batchNumber);
        Batch storage found = _batches[batchNumber];
        return (found.claims, found.lastItem - _batches[batchNumber - 1].lastItem);
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

    /// @dev The batch is the next to be proven.
    function _checkNext(uint256 batchNumber) private view {
        if (batchNumber != uint256(provenBatches) + 1) {
            revert BatchNumberWrong(uint256(provenBatches) + 1, batchNumber);
        }
        if (batchNumber > committedBatches) revert BatchUnknown(batchNumber);
    }

    /// @dev These are the public inputs of the batch's commit.
    function _checkBinding(uint256 batchNumber, uint256 commitment, uint256 zeta, uint256 y) private view {
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
