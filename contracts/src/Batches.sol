// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {BatchReader} from "./BatchReader.sol";
import {Claims} from "./Claims.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";
import {Managed} from "./Managed.sol";
import {Parameters} from "./Parameters.sol";
import {Queue} from "./Queue.sol";

/// @title State roots of one shard, each proven from the one before
/// @notice A batch is committed (its data posted, by the operator), proven (by anyone), finalized (by anyone), in
/// order of number. Nothing here trusts the operator: a root is proven only with a proof about exactly the posted
/// data and exactly the queue items that were next. docs/protocol.md, sections "Data", "Binding the data" and "L1",
/// is the text this implements.
/// @dev What a batch's data say is checked word for word against this contract's state at commit. That the new root
/// follows from the old one is the proof's part. Proofs are malleable: the state machine, not the proof, stops replay.
abstract contract Batches is Queue, Claims, Managed {
    /// @notice What is kept of a batch.
    /// @param binding keccak256 of the statement: the public inputs a proof must have, without the payout.
    /// @param newRoot State root after the batch.
    /// @param claims keccak256 of the batch's queue results and transfers, 0 if it has none.
    /// @param l1Time Unix seconds, as the batch states it.
    /// @param committedAt When it was posted, in unix seconds.
    /// @param finalizedAt When it became final, in unix seconds; 0 before.
    /// @param lastItem Number of the last queue item that this batch or one before it takes.
    /// @param selector Its circuit, by the router.
    /// @param kind How its data were posted: 0 calldata, 1 blob, 2 attested, 3 full.
    /// @param payout Whom its proof, or the window that it outlasted, pays; 0 before.
    /// @param proposal Of a full batch the number of its proposal, otherwise 0.
    struct Batch {
        bytes32 binding;
        uint256 newRoot;
        bytes32 claims;
        uint40 l1Time;
        uint40 committedAt;
        uint40 finalizedAt;
        uint64 lastItem;
        bytes4 selector;
        uint8 kind;
        address payout;
        uint64 proposal;
    }

    /// @notice The data of a batch were posted, and are the next to be proven after those before. `statement` is C, ζ, y
    /// and of a blob batch the blob's value in two halves; `blobHash` its versioned hash, otherwise 0.
    event BatchCommitted(
        uint256 indexed batchNumber,
        uint256 indexed newRoot,
        bytes32 indexed dataHash,
        bytes4 selector,
        uint256[] statement,
        bytes32 blobHash
    );
    /// @notice A proof for the batch was verified; `payout` is the address its maker bound into it.
    event BatchProven(uint256 indexed batchNumber, uint256 indexed newRoot, address indexed payout);
    /// @notice The batch is final, and `stateRoot` is the shard's root.
    event BatchFinalized(uint256 indexed batchNumber, uint256 indexed stateRoot);
    /// @notice Batches `from` to `to`, committed and not final, are void.
    event BatchesRolledBack(uint256 indexed from, uint256 indexed to);
    /// @notice The operator is back with a proof: proposals are over.
    event FallbackClosed();

    /// @notice Another kind of batch is meant for this function.
    error KindWrong(uint256 got);
    /// @notice Header word 5: more queue items than are waiting.
    error QueueTooShort(uint256 waiting, uint256 got);
    /// @notice Header word 5: queue item `number` is overdue since `deadline`, and the batch leaves it out with room to spare.
    error ItemOverdue(uint256 number, uint256 deadline);
    /// @notice The number given to a proof: batches go in order.
    error BatchNumberWrong(uint256 expected, uint256 got);
    /// @notice No such batch is committed.
    error BatchUnknown(uint256 batchNumber);
    /// @notice The public inputs or the data are not those of the commit.
    error BindingWrong(bytes32 expected, bytes32 got);
    /// @notice Batches before wait for their proofs, so this one cannot be proven with its commit.
    error BatchesUnproven(uint256 proven, uint256 committed);
    /// @notice The batch is final already, or not committed.
    error NotFinalizable(uint256 finalized, uint256 committed, uint256 got);
    /// @notice The batch is proven, or not committed: it cannot be rolled back.
    error NotRevocable(uint256 proven, uint256 committed, uint256 got);
    /// @notice The circuit of a batch is frozen, so the batch never becomes final.
    error CircuitFrozen(uint256 batchNumber, bytes4 selector);
    /// @notice The fallback is open: batches come with their proof, or are proposed.
    error FallbackIsOpen();

    /// @notice Who reads data.
    BatchReader public immutable reader;
    /// @notice The circuits whose proofs are taken.
    IVerifierRouter public immutable router;
    /// @notice The shard whose roots these are.
    uint256 public immutable shard;
    /// @notice How far back, in seconds, a batch's L1 time may lie.
    uint256 public immutable maxAge;

    /// @notice Number of the last batch committed; 0 before the first.
    uint64 public committedBatches;
    /// @notice Number of the last batch proven; 0 before the first.
    uint64 public provenBatches;
    /// @notice Number of the last batch finalized; 0 before the first.
    uint64 public finalizedBatches;
    /// @notice Since when, in unix seconds, something waits to become final; 0 if nothing does. The clock of escape.
    uint40 public pendingSince;
    /// @notice Whether anyone may propose full batches, because no proofs came.
    bool public fallbackOpen;
    /// @dev Batch 0 is the genesis: its root, time 0, no queue item.
    mapping(uint256 batchNumber => Batch) internal _batches;

    constructor(BatchReader reader_, IVerifierRouter router_, Parameters memory p) {
        (reader, router, shard, maxAge) = (reader_, router_, p.shard, p.maxAge);
    }

    /// @notice Posts the next batch, which takes as many of the waiting queue items as its header says.
    /// @param selector The circuit it will be proven with.
    /// @param data The posted words, 32 bytes each, big-endian, below r: docs/protocol.md, "Data".
    /// @param commitment C, the Poseidon commitment to all words, padded as the circuit pads them. Not checked
    /// here: with a wrong one a calldata batch is provable only through `proveWithData`, another not at all.
    /// @param evidence That the words which are not posted are there: of a blob batch abi.encode(uint256 value, bytes
    /// commitment, bytes proof) for the transaction's first blob at ζ; of an attested batch abi.encode(bytes[] signatures).
    function commit(bytes4 selector, bytes calldata data, uint256 commitment, bytes calldata evidence)
        external
        whenLive
        restricted
    {
        if (fallbackOpen) revert FallbackIsOpen();
        _commit(selector, data, commitment, evidence);
    }

    /// @notice Proves the batch after the last proven one.
    /// @param batchNumber Its number.
    /// @param statement As committed (`BatchCommitted`).
    /// @param payout Address bound into the proof by its maker.
    /// @param proof Groth16 proof for the public inputs: the statement and the payout.
    function prove(uint256 batchNumber, uint256[] calldata statement, address payout, uint256[] calldata proof)
        external
        whenLive
    {
        _checkNext(batchNumber);
        _checkBinding(batchNumber, statement);
        _prove(batchNumber, statement, payout, proof);
    }

    /// @notice `commit` and `prove` in one transaction, when every batch before is proven. Closes the fallback.
    function commitAndProve(
        bytes4 selector,
        bytes calldata data,
        uint256 commitment,
        bytes calldata evidence,
        address payout,
        uint256[] calldata proof
    ) external whenLive restricted {
        if (provenBatches != committedBatches) {
            revert BatchesUnproven(provenBatches, committedBatches);
        }
        if (fallbackOpen) {
            fallbackOpen = false;
            emit FallbackClosed();
        }
        (uint256 batchNumber, uint256[] memory statement) = _commit(selector, data, commitment, evidence);
        _prove(batchNumber, statement, payout, proof);
    }

    /// @notice Proves a calldata or full batch with another C than it was committed with: that one was wrong, or no
    /// longer known.
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
    ) external whenLive {
        _checkNext(batchNumber);
        _checkBinding(batchNumber, _read(data, batchNumber, committed).statement);
        _prove(batchNumber, _read(data, batchNumber, commitment).statement, payout, proof);
    }

    /// @notice Makes every batch up to `upTo` final: those that are proven, and full ones that nobody challenged in time.
    function finalize(uint256 upTo) external whenLive {
        uint256 number = finalizedBatches;
        if (upTo <= number || upTo > committedBatches) revert NotFinalizable(number, committedBatches, upTo);
        while (number < upTo) {
            _finalize(++number);
        }
        // forge-lint: disable-next-item(unsafe-typecast)
        {
            finalizedBatches = uint64(upTo); // at most committedBatches
            if (upTo > provenBatches) provenBatches = uint64(upTo);
        }
        _progressed();
    }

    /// @notice Voids batch `from` and all after it. Their queue items wait again. The operator may, as long as none of them
    /// is proven; and anybody, if the circuit of `from` is frozen: then it could never become final, and would hold up
    /// what comes after it.
    function rollback(uint256 from) external whenLive {
        uint256 to = committedBatches;
        bool frozen = from > finalizedBatches && from <= to && router.isFrozen(_batches[from].selector);
        if (!frozen) {
            _checkCaller();
            if (fallbackOpen) revert FallbackIsOpen();
            if (from <= provenBatches || from > to) revert NotRevocable(provenBatches, to, from);
        }
        _void(from);
    }

    /// @notice The shard's state root: that of the last finalized batch.
    function stateRoot() external view returns (uint256) {
        return _batches[finalizedBatches].newRoot;
    }

    /// @notice The root after a final batch; 0 is the genesis.
    function finalRoot(uint256 batchNumber) external view returns (uint256) {
        if (batchNumber > finalizedBatches) revert BatchNotFinal(finalizedBatches, batchNumber);
        return _batches[batchNumber].newRoot;
    }

    /// @notice What is kept of a committed batch; number 0 is the genesis.
    function batch(uint256 batchNumber) external view returns (Batch memory) {
        if (batchNumber > committedBatches) revert BatchUnknown(batchNumber);
        return _batches[batchNumber];
    }

    /// @notice Number of the last queue item that a committed, a proven, and a final batch takes.
    function queuePointers() external view returns (uint256 committed, uint256 proven, uint256 finalized) {
        return
            (_batches[committedBatches].lastItem, _batches[provenBatches].lastItem, _batches[finalizedBatches].lastItem);
    }

    /// @dev Commits the next batch, of any kind but full.
    function _commit(bytes4 selector, bytes calldata data, uint256 commitment, bytes calldata evidence)
        internal
        returns (uint256 batchNumber, uint256[] memory statement)
    {
        BatchReader.Reading memory reading;
        (batchNumber, reading) = _append(selector, data, commitment, evidence);
        // slither-disable-next-line incorrect-equality (one of four)
        if (reading.kind == BatchData.FULL) revert KindWrong(reading.kind);
        statement = reading.statement;
    }

    /// @dev Makes what was posted the next batch.
    function _append(bytes4 selector, bytes calldata data, uint256 commitment, bytes calldata evidence)
        internal
        returns (uint256 batchNumber, BatchReader.Reading memory reading)
    {
        batchNumber = uint256(committedBatches) + 1;
        Batch storage last = _batches[batchNumber - 1];
        reading = reader.readNew(
            data, _context(selector, data, batchNumber), commitment, evidence, last.newRoot, last.l1Time, maxAge
        );
        uint256 lastItem = last.lastItem + reading.taken;
        _checkDeadline(lastItem, reading.taken);

        Batch storage next = _batches[batchNumber];
        // Every field is written: nothing stays of a batch of this number that was rolled back.
        // forge-lint: disable-next-item(unsafe-typecast, block-timestamp)
        {
            next.l1Time = uint40(reading.l1Time); // at most block.timestamp
            next.committedAt = uint40(block.timestamp);
            next.finalizedAt = 0;
            next.lastItem = uint64(lastItem); // at most queuedItems
            next.selector = selector;
            next.kind = uint8(reading.kind);
            (next.payout, next.proposal) = (address(0), 0);
            committedBatches = uint64(batchNumber); // one more than a uint64, reached one transaction at a time
            if (pendingSince == 0) pendingSince = uint40(block.timestamp);
        }
        _bind(batchNumber, reading);
    }

    /// @dev Writes what a batch's proof will be about.
    function _bind(uint256 batchNumber, BatchReader.Reading memory reading) internal {
        Batch storage next = _batches[batchNumber];
        next.binding = keccak256(abi.encodePacked(reading.statement));
        next.newRoot = reading.newRoot;
        next.claims = reading.claims;
        emit BatchCommitted(
            batchNumber, reading.newRoot, reading.dataHash, next.selector, reading.statement, reading.blobHash
        );
    }

    /// @dev A proof of the next batch for this statement.
    function _prove(uint256 batchNumber, uint256[] memory statement, address payout, uint256[] calldata proof)
        internal
    {
        // forge-lint: disable-next-item(unsafe-typecast)
        provenBatches = uint64(batchNumber); // at most committedBatches
        Batch storage found = _batches[batchNumber];
        found.payout = payout;
        uint256 length = statement.length;
        uint256[] memory inputs = new uint256[](length + 1);
        for (uint256 i = 0; i < length; ++i) {
            inputs[i] = statement[i];
        }
        inputs[length] = uint160(payout);
        router.verify(found.selector, proof, inputs);
        emit BatchProven(batchNumber, found.newRoot, payout);
        if (found.proposal != 0) _proven(found.proposal, payout);
    }

    /// @dev A full batch was proven as it was proposed.
    function _proven(uint256 proposal, address payout) internal virtual;

    /// @dev A full batch, the next to become final, has no proof: reverts unless it may do without; returns its payout.
    function _acceptUnproven(uint256 batchNumber) internal virtual returns (address payout);

    /// @dev Voids batch `from` and all after it.
    function _void(uint256 from) internal {
        uint256 to = committedBatches;
        // forge-lint: disable-next-item(unsafe-typecast)
        committedBatches = uint64(from - 1); // at most committedBatches
        if (provenBatches >= from) provenBatches = committedBatches;
        if (committedBatches == finalizedBatches && !fallbackOpen) pendingSince = 0;
        emit BatchesRolledBack(from, to);
    }

    /// @dev Something became final: the clock of escape begins anew.
    function _progressed() internal virtual {
        bool pending = fallbackOpen || finalizedBatches != committedBatches;
        // forge-lint: disable-next-item(unsafe-typecast, block-timestamp)
        pendingSince = pending ? uint40(block.timestamp) : 0;
    }

    /// @dev The batch is the next to be proven.
    function _checkNext(uint256 batchNumber) internal view {
        if (batchNumber != uint256(provenBatches) + 1) {
            revert BatchNumberWrong(uint256(provenBatches) + 1, batchNumber);
        }
        if (batchNumber > committedBatches) revert BatchUnknown(batchNumber);
    }

    /// @dev What the data of a committed batch say, and their statement for a commitment.
    function _read(bytes calldata data, uint256 batchNumber, uint256 commitment)
        internal
        view
        returns (BatchReader.Reading memory)
    {
        return reader.read(data, _context(_batches[batchNumber].selector, data, batchNumber), commitment);
    }

    /// @dev What data of batch `batchNumber` are read against.
    function _context(bytes4 selector, bytes calldata data, uint256 batchNumber)
        private
        view
        returns (BatchReader.Context memory)
    {
        uint256 first = uint256(_batches[batchNumber - 1].lastItem) + 1;
        uint256 waiting = queuedItems + 1 - first;
        uint256 taken = BatchData.sections(BatchData.word(data, 5)).queue;
        if (taken > waiting) revert QueueTooShort(waiting, taken);
        return BatchReader.Context({
            router: router,
            selector: selector,
            number: batchNumber,
            shard: shard,
            queueRoom: queueRoom,
            items: _queueWords(first, taken)
        });
    }

    /// @inheritdoc Claims
    function _finalSection(uint256 batchNumber) internal view override returns (bytes32, uint256, uint256, uint256) {
        if (batchNumber == 0 || batchNumber > finalizedBatches) revert BatchNotFinal(finalizedBatches, batchNumber);
        Batch storage found = _batches[batchNumber];
        uint256 width = found.kind == BatchData.FULL ? 1 : BatchData.TRANSFER_WORDS;
        return (found.claims, found.lastItem - _batches[batchNumber - 1].lastItem, width, found.finalizedAt);
    }

    /// @dev The next batch becomes final; its queue items' fees are its prover's.
    function _finalize(uint256 batchNumber) private {
        Batch storage found = _batches[batchNumber];
        // The router is fixed and answers from storage. Who calls chooses how many batches that is for.
        // slither-disable-next-line calls-loop
        if (router.isFrozen(found.selector)) revert CircuitFrozen(batchNumber, found.selector);
        if (batchNumber > provenBatches) found.payout = _acceptUnproven(batchNumber);
        // forge-lint: disable-next-item(unsafe-typecast)
        found.finalizedAt = uint40(block.timestamp);
        uint256 items = found.lastItem - _batches[batchNumber - 1].lastItem;
        if (items != 0) ethOwed[found.payout] += items * queueFee;
        emit BatchFinalized(batchNumber, found.newRoot);
    }

    /// @dev A batch that leaves out an overdue item has taken as many as this rollup's circuits have room for at least.
    function _checkDeadline(uint256 lastItem, uint256 taken) private view {
        // slither-disable-next-line incorrect-equality (numbers of items; lastItem is never above)
        if (lastItem == queuedItems || taken >= queueRoom) return;
        uint256 deadline = _items[lastItem + 1].deadline;
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp > deadline) revert ItemOverdue(lastItem + 1, deadline);
    }

    /// @dev The statement is that of the batch's commit.
    function _checkBinding(uint256 batchNumber, uint256[] memory statement) private view {
        bytes32 got = keccak256(abi.encodePacked(statement));
        bytes32 expected = _batches[batchNumber].binding;
        if (got != expected) revert BindingWrong(expected, got);
    }
}
