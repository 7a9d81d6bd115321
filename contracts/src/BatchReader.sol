// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {EIP712Digest} from "./EIP712Digest.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";

/// @title What a batch's data say
/// @notice Reads posted data against what their rollup expects, and draws from them the statement that a proof must be
/// about. Without state: rollups call it, so that their own code is the state machine alone. Its answer is the caller's
/// business, its errors name the header word that is wrong.
contract BatchReader {
    /// @param router The caller's circuits.
    /// @param selector The circuit that the batch is for.
    /// @param number The batch's number.
    /// @param shard The caller's shard.
    /// @param queueRoom Least room for queue items that the caller asks of a circuit.
    /// @param items Words of the queue items that come next.
    struct Context {
        IVerifierRouter router;
        bytes4 selector;
        uint256 number;
        uint256 shard;
        uint256 queueRoom;
        uint256[] items;
    }

    /// @param kind The kind of batch: 0 calldata, 1 blob, 2 attested, 3 full.
    /// @param taken How many queue items it takes.
    /// @param statement C, ζ, y; of a blob batch then the blob's value in two halves.
    /// @param dataHash keccak256 of the posted data.
    /// @param blobHash Versioned hash of a blob batch's blob, otherwise 0.
    /// @param claims keccak256 of the words in which claims stand, 0 if there are none.
    /// @param newRoot Header word 9.
    /// @param l1Time Header word 7.
    /// @param inputs Of a full batch keccak256 of everything but the outcome.
    /// @param outcome Of a full batch keccak256 of new root, queue results and transfer results.
    struct Reading {
        uint256 kind;
        uint256 taken;
        uint256[] statement;
        bytes32 dataHash;
        bytes32 blobHash;
        bytes32 claims;
        uint256 newRoot;
        uint256 l1Time;
        bytes32 inputs;
        bytes32 outcome;
    }

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
    /// @notice Header word 5: bits above its last count are set, or a full batch counts records.
    error CountsWrong(uint256 got);
    /// @notice Header word 5: a count is above the circuit's room. Counts go from 0: queue items, registrations,
    /// transfers, sessions.
    error RoomExceeded(uint256 count, uint256 room, uint256 got);
    /// @notice The data's length does not follow from the counts of header word 5.
    error DataLengthWrong(uint256 expected, uint256 got);
    /// @notice Header word 6: another mode than that of the circuit's kind, or a bit is set that has no meaning.
    error ModeWrong(uint256 expected, uint256 got);
    /// @notice Header word 7: the L1 time is later than the block.
    error L1TimeInFuture(uint256 latest, uint256 got);
    /// @notice Header word 7: the L1 time is before that of the last batch.
    error L1TimeBeforeLastBatch(uint256 earliest, uint256 got);
    /// @notice Header word 7: the L1 time is further back than the age limit.
    error L1TimeTooOld(uint256 earliest, uint256 got);
    /// @notice Header word 8: the old root is not the new root of the batch before.
    error OldRootWrong(uint256 expected, uint256 got);
    /// @notice Development keys are refused on a chain that is not listed for them.
    error DevelopmentKeyRefused(uint256 chainId);

    /// @notice Only the data of calldata and full batches can be shown again.
    error KindWrong(uint256 got);
    /// @notice The transaction of a blob batch carries no blob.
    error BlobMissing();
    /// @notice The point-evaluation precompile refused the blob's opening.
    error BlobOpeningWrong(bytes32 blobHash);
    /// @notice This kind of batch comes with no evidence about its data.
    error EvidenceUnexpected();

    /// @notice The circuit has less room for queue items than the rollup asks for.
    error QueueRoomTooSmall(uint256 least, uint256 got);

    /// @notice Version of the data's layout, header word 0.
    uint256 public constant VERSION = 2;
    uint256 private constant MODE_DEVELOPMENT = 1;
    /// @dev EIP-4844: the point-evaluation precompile.
    address private constant POINT_EVALUATION = address(0x0a);
    uint256 private constant POINT_EVALUATION_GAS = 200_000;

    /// @notice What data posted now say; reverts unless their header is that of the calling rollup's next batch, and what is
    /// not posted is there.
    /// @param evidence Of a blob batch abi.encode(uint256 value, bytes commitment, bytes proof) for the transaction's first
    /// blob at ζ; of an attested batch abi.encode(bytes[] signatures); otherwise nothing.
    /// @param oldRoot New root of the batch before.
    /// @param earliest L1 time of the batch before.
    /// @param maxAge How far back the L1 time may lie, in seconds.
    function readNew(
        bytes calldata data,
        Context calldata context,
        uint256 commitment,
        bytes calldata evidence,
        uint256 oldRoot,
        uint256 earliest,
        uint256 maxAge
    ) external view returns (Reading memory reading) {
        IVerifierRouter.Route memory route = context.router.live(context.selector);
        if (route.queue < context.queueRoom) revert QueueRoomTooSmall(context.queueRoom, route.queue);
        _checkHeaderLength(data);
        _checkHeader(data, context, oldRoot);
        _checkMode(BatchData.word(data, 6), uint256(route.kind) << 1, context.router);
        _checkTime(BatchData.word(data, 7), earliest, maxAge);
        bytes32 blobHash = route.kind == BatchData.BLOB ? blobhash(0) : bytes32(0);
        reading = _read(data, context, route, commitment, blobHash);
        if (route.kind == BatchData.BLOB) {
            _openBlob(reading, evidence);
        } else if (route.kind == BatchData.ATTESTED) {
            bytes32 digest = EIP712Digest.attestation(msg.sender, context.number, commitment, reading.dataHash);
            route.attesters.check(digest, abi.decode(evidence, (bytes[])));
        } else if (evidence.length != 0) {
            revert EvidenceUnexpected();
        }
    }

    /// @notice What data say that were posted before, all in calldata; that they are those, the caller finds by the
    /// statement or the inputs.
    function read(bytes calldata data, Context calldata context, uint256 commitment)
        external
        view
        returns (Reading memory)
    {
        IVerifierRouter.Route memory route = context.router.live(context.selector);
        if (route.kind != BatchData.CALLDATA && route.kind != BatchData.FULL) revert KindWrong(route.kind);
        return _read(data, context, route, commitment, 0);
    }

    function _read(
        bytes calldata data,
        Context calldata context,
        IVerifierRouter.Route memory route,
        uint256 commitment,
        bytes32 blobHash
    ) private pure returns (Reading memory reading) {
        if (commitment >= BatchData.R) revert CommitmentNotInField(commitment);
        BatchData.Content memory content = BatchData.Content({
            kind: route.kind,
            used: _checkCounts(data, route),
            items: context.items,
            dataHash: keccak256(data),
            itemsHash: keccak256(abi.encodePacked(context.items)),
            blobHash: blobHash
        });
        reading.kind = content.kind;
        reading.taken = content.used.queue;
        uint256[] memory statement = new uint256[](BatchData.statementLength(content.kind));
        statement[0] = commitment;
        statement[1] = BatchData.challenge(commitment, content);
        statement[2] = BatchData.evaluate(
            data,
            content,
            BatchData.Sections(route.queue, route.registrations, route.transfers, route.sessions),
            statement[1]
        );
        reading.statement = statement;
        reading.dataHash = content.dataHash;
        reading.blobHash = blobHash;
        reading.claims = BatchData.claimsHash(data, content.used, content.kind);
        reading.l1Time = BatchData.word(data, 7);
        reading.newRoot = BatchData.word(data, 9);
        if (content.kind == BatchData.FULL) {
            (reading.outcome, reading.inputs) = BatchData.outcomeAndInputs(data, content.used);
        }
    }

    /// @dev EIP-4844: the value of the blob's polynomial at ζ, into the statement.
    function _openBlob(Reading memory reading, bytes calldata evidence) private view {
        bytes32 hash = reading.blobHash;
        if (hash == 0) revert BlobMissing();
        (uint256 value, bytes memory commitment, bytes memory proof) = abi.decode(evidence, (uint256, bytes, bytes));
        (bool ok, bytes memory answer) = POINT_EVALUATION.staticcall{gas: POINT_EVALUATION_GAS}(
            bytes.concat(hash, bytes32(reading.statement[1]), bytes32(value), commitment, proof)
        );
        // An empty answer is that of an account without code: a chain without the precompile.
        if (!ok || answer.length != 64) revert BlobOpeningWrong(hash);
        (reading.statement[3], reading.statement[4]) = (value & type(uint128).max, value >> 128);
    }

    /// @dev Every header word but the counts and the new root, which is the proof's; that each is below r, `evaluate`
    /// checks.
    function _checkHeader(bytes calldata data, Context calldata context, uint256 oldRoot) private view {
        uint256 got = BatchData.word(data, 0);
        if (got != VERSION) revert VersionWrong(VERSION, got);
        got = BatchData.word(data, 1);
        if (got != block.chainid) revert ChainIdWrong(block.chainid, got);
        got = BatchData.word(data, 2);
        if (got != uint160(msg.sender)) revert ContractWrong(uint160(msg.sender), got);
        got = BatchData.word(data, 3);
        if (got != context.shard) revert ShardWrong(context.shard, got);
        got = BatchData.word(data, 4);
        if (got != context.number) revert BatchNumberWrong(context.number, got);
        got = BatchData.word(data, 8);
        if (got != oldRoot) revert OldRootWrong(oldRoot, got);
    }

    /// @dev Header word 5 against the circuit's room and the data's length; of a full batch the packed words' widths too.
    function _checkCounts(bytes calldata data, IVerifierRouter.Route memory route)
        private
        pure
        returns (BatchData.Sections memory used)
    {
        _checkHeaderLength(data);
        uint256 counts = BatchData.word(data, 5);
        if (counts >> BatchData.COUNTS_BITS != 0) revert CountsWrong(counts);
        used = BatchData.sections(counts);
        if (used.queue > route.queue) revert RoomExceeded(0, route.queue, used.queue);
        if (used.registrations > route.registrations) {
            revert RoomExceeded(1, route.registrations, used.registrations);
        }
        if (used.transfers > route.transfers) revert RoomExceeded(2, route.transfers, used.transfers);
        if (used.sessions > route.sessions) revert RoomExceeded(3, route.sessions, used.sessions);
        uint256 expected = BatchData.length(used, route.kind);
        if (data.length != expected) revert DataLengthWrong(expected, data.length);
        if (route.kind == BatchData.FULL) {
            if (counts >> 80 & type(uint32).max != 0) revert CountsWrong(counts);
            BatchData.checkWidths(data, used);
        }
    }

    function _checkMode(uint256 mode, uint256 expected, IVerifierRouter router) private view {
        if (mode == expected) return;
        if (mode != expected | MODE_DEVELOPMENT) revert ModeWrong(expected, mode);
        // The chain's id is read anew: a fork that takes another id leaves the list.
        if (block.chainid != router.developmentChainId()) revert DevelopmentKeyRefused(block.chainid);
    }

    function _checkTime(uint256 l1Time, uint256 earliest, uint256 maxAge) private view {
        // A validator moves the timestamp by seconds; expiries of sessions are no finer.
        // forge-lint: disable-start(block-timestamp)
        if (l1Time > block.timestamp) revert L1TimeInFuture(block.timestamp, l1Time);
        if (l1Time < earliest) revert L1TimeBeforeLastBatch(earliest, l1Time);
        if (block.timestamp - l1Time > maxAge) revert L1TimeTooOld(block.timestamp - maxAge, l1Time);
        // forge-lint: disable-end(block-timestamp)
    }

    function _checkHeaderLength(bytes calldata data) private pure {
        if (data.length < BatchData.HEADER_BYTES) revert DataLengthWrong(BatchData.HEADER_BYTES, data.length);
    }
}
