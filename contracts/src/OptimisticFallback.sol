// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {BatchReader} from "./BatchReader.sol";
import {Batches} from "./Batches.sol";
import {Parameters} from "./Parameters.sol";

/// @title What goes on when no proofs come: bonded proposals, challenges, one proof that settles
/// @notice When a batch waits too long for its proof, anybody opens the fallback, and then anybody posts full batches: all
/// inputs, so that everyone can recompute the outcome, and an outcome, with a bond. One that nobody challenges in time
/// becomes final. One that is challenged becomes final by a proof alone, however long that takes; until it is final any
/// number of challenges may come, and none is withdrawn. A proof of another outcome of the same inputs replaces the
/// batch. Of a lost bond half is burned, so that a dispute with oneself costs; the other half goes to the proof's maker,
/// who shares the proposer's with the first challenger that was right. docs/protocol.md, "Fallback".
abstract contract OptimisticFallback is Batches {
    /// @param proposer Who posted the batch and its bond.
    /// @param number The batch's number.
    /// @param challenges How many challenges there are.
    /// @param settled Whether the outcome is decided: by a proof, or because nobody challenged in time.
    /// @param paid Whether the proposer has its bond back.
    /// @param inputs keccak256 of everything posted but the outcome.
    /// @param outcome keccak256 of new root, queue results and transfer results, as proposed.
    /// @param right The outcome that was decided.
    /// @param payout Whom lost bonds pay: the address in the deciding proof.
    struct Proposal {
        address proposer;
        uint64 number;
        uint32 challenges;
        bool settled;
        bool paid;
        bytes32 inputs;
        bytes32 outcome;
        bytes32 right;
        address payout;
    }

    /// @param challenger Who challenged, with a bond.
    /// @param paid Whether the bond went where it belongs.
    /// @param outcome What the challenger says is right.
    struct Challenge {
        address challenger;
        bool paid;
        bytes32 outcome;
    }

    /// @notice No proof came in time: batches `from` to `to` are void, and anyone may propose full ones.
    event FallbackOpened(uint256 indexed from, uint256 indexed to);
    /// @notice A full batch was proposed with a bond.
    event BatchProposed(uint256 indexed id, uint256 indexed batchNumber, address indexed proposer, bytes32 outcome);
    /// @notice Somebody says, with a bond, that another outcome is right.
    event BatchChallenged(uint256 indexed id, uint256 indexed index, address indexed challenger, bytes32 outcome);
    /// @notice The outcome is decided; lost bonds pay `payout`.
    event ProposalSettled(uint256 indexed id, bytes32 indexed outcome, address indexed payout);

    /// @notice The fallback is closed.
    error FallbackNotOpen();
    /// @notice A batch has been waiting for its proof since `since`, not yet for long enough; 0 if none is waiting.
    error FallbackTooEarly(uint256 since, uint256 delay);
    /// @notice A proposal came from a contract, or from an account with code.
    error NotInTransaction(address caller);
    /// @notice The batch is no open proposal.
    error NotProposed(uint256 batchNumber);
    /// @notice A challenge, or a proof to settle with, is about another outcome than the proposed one.
    error NotConflicting(bytes32 outcome);
    /// @notice The data are not the inputs of the proposal.
    error InputsWrong(bytes32 expected, bytes32 got);
    /// @notice Without a proof the batch can become final after `from`, in unix seconds.
    error WindowOpen(uint256 from);
    /// @notice The batch is challenged: a proof alone decides.
    error BatchIsChallenged(uint256 batchNumber);
    /// @notice The batch is not full: without a proof it never becomes final.
    error ProofMissing(uint256 batchNumber);
    /// @notice No such proposal or challenge.
    error StakeUnknown(uint256 id, uint256 index);
    /// @notice The proposal is neither settled nor void yet.
    error StakeOpen(uint256 id);
    /// @notice The bond was paid out before.
    error StakePaid(uint256 id);
    /// @notice The bond is lost.
    error StakeLost(uint256 id);

    /// @notice What a proposal and what a challenge stake, in wei.
    uint256 public immutable bond;
    uint256 private immutable PROVE_WINDOW;
    uint256 private immutable CHALLENGE_WINDOW;
    uint256 private immutable DISPUTE_CAP;

    /// @notice Number of the last proposal; 0 before the first.
    uint64 public proposals;
    /// @notice When the first challenge after the last finalization came, in unix seconds; 0 if there is none.
    uint40 public disputedSince;
    mapping(uint256 id => Proposal) private _proposals;
    mapping(uint256 id => mapping(uint256 index => Challenge)) private _challenges;
    /// @dev One more than the index of the first challenge with an outcome.
    mapping(uint256 id => mapping(bytes32 outcome => uint256)) private _first;

    constructor(Parameters memory p) {
        (bond, PROVE_WINDOW, CHALLENGE_WINDOW, DISPUTE_CAP) = (p.bond, p.proveWindow, p.challengeWindow, p.disputeCap);
    }

    /// @notice Opens the fallback when the oldest unproven batch is too old, and voids all that are unproven.
    function openFallback() external whenLive {
        if (fallbackOpen) revert FallbackIsOpen();
        uint256 from = uint256(provenBatches) + 1;
        uint256 to = committedBatches;
        uint256 since = from > to ? 0 : _batches[from].committedAt;
        // forge-lint: disable-next-line(block-timestamp)
        if (since == 0 || block.timestamp <= since + PROVE_WINDOW) revert FallbackTooEarly(since, PROVE_WINDOW);
        fallbackOpen = true;
        emit FallbackOpened(from, to);
        _void(from);
    }

    /// @notice Proposes the next batch, with a bond. Only a transaction to this contract can, so that its input is the data:
    /// who is to challenge a batch finds them without tracing what contracts call each other with.
    /// @param selector A circuit of kind full, with which a dispute would be settled.
    /// @param data The posted words: docs/protocol.md, "Full batches".
    /// @param commitment C, as for `commit`.
    function propose(bytes4 selector, bytes calldata data, uint256 commitment) external payable whenLive {
        if (!fallbackOpen) revert FallbackNotOpen();
        _checkBond();
        // An account with code could be called by others, also the transaction's own (EIP-7702).
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NotInTransaction(msg.sender);
        (uint256 number, BatchReader.Reading memory reading) = _append(selector, data, commitment, msg.data[:0]);
        if (reading.kind != BatchData.FULL) revert KindWrong(reading.kind);
        uint64 id = ++proposals;
        _batches[number].proposal = id;
        Proposal storage made = _proposals[id];
        // forge-lint: disable-next-item(unsafe-typecast)
        (made.proposer, made.number) = (msg.sender, uint64(number)); // as committedBatches
        (made.outcome, made.inputs) = (reading.outcome, reading.inputs);
        emit BatchProposed(id, number, msg.sender, made.outcome);
    }

    /// @notice Says that another outcome of a proposed batch is right, with a bond. The batch then needs a proof.
    /// @param id The proposal, of a batch that is committed and not proven. Not the batch's number: by the time the challenge
    /// is mined another proposal may have it, of which something else is right.
    /// @param outcome keccak256 of the right new root, queue results and transfer results.
    function challenge(uint256 id, bytes32 outcome) external payable whenLive {
        _checkBond();
        (uint256 standing, Proposal storage found) = _open(_proposals[id].number);
        if (standing != id) revert StakeUnknown(id, 0);
        if (outcome == found.outcome) revert NotConflicting(outcome);
        uint256 index = found.challenges++;
        _challenges[id][index] = Challenge({challenger: msg.sender, paid: false, outcome: outcome});
        if (_first[id][outcome] == 0) _first[id][outcome] = index + 1;
        // forge-lint: disable-next-item(unsafe-typecast, block-timestamp)
        if (disputedSince == 0) disputedSince = uint40(block.timestamp);
        emit BatchChallenged(id, index, msg.sender, outcome);
    }

    /// @notice Replaces the next unproven batch, a proposal, by one with the same inputs and the outcome that a proof says
    /// is right. The batches after it are void.
    /// @param batchNumber Number of the batch after the last proven one.
    /// @param data Its inputs, with the right outcome.
    /// @param commitment The right C.
    /// @param payout Address bound into the proof by its maker.
    /// @param proof Groth16 proof for the public inputs C, ζ, y, payout.
    function settle(
        uint256 batchNumber,
        bytes calldata data,
        uint256 commitment,
        address payout,
        uint256[] calldata proof
    ) external whenLive {
        _checkNext(batchNumber);
        (uint256 id, bytes32 outcome, uint256[] memory statement) = _replace(batchNumber, data, commitment);
        _settle(id, outcome, payout);
        _prove(batchNumber, statement, payout, proof);
        // The proposer's bond: half burned, half for the proof's maker, of which the first who was right has half.
        uint256 reward = bond - bond / 2;
        uint256 first = _first[id][outcome];
        if (first != 0) {
            uint256 share = reward / 2;
            ethOwed[_challenges[id][first - 1].challenger] += share;
            reward -= share;
        }
        ethOwed[payout] += reward;
        _burn(bond / 2);
    }

    /// @notice Pays back the bond of a proposal that was right, or is void.
    function claimProposal(uint256 id) external {
        Proposal storage found = _proposals[id];
        if (id == 0 || id > proposals) revert StakeUnknown(id, 0);
        if (!found.settled && !_isVoid(id)) revert StakeOpen(id);
        if (found.settled && found.right != found.outcome) revert StakeLost(id);
        if (found.paid) revert StakePaid(id);
        found.paid = true;
        ethOwed[found.proposer] += bond;
    }

    /// @notice Pays the bond of a challenge to whom it belongs: back if it was right or the proposal is void; otherwise half
    /// is burned, and half is the proof's maker's.
    function claimChallenge(uint256 id, uint256 index) external nonReentrant {
        Proposal storage found = _proposals[id];
        if (index >= found.challenges) revert StakeUnknown(id, index);
        if (!found.settled && !_isVoid(id)) revert StakeOpen(id);
        Challenge storage made = _challenges[id][index];
        if (made.paid) revert StakePaid(id);
        made.paid = true;
        if (!found.settled || made.outcome == found.right) {
            ethOwed[made.challenger] += bond;
        } else {
            ethOwed[found.payout] += bond - bond / 2;
            _burn(bond / 2);
        }
    }

    /// @notice What is kept of a proposal.
    function proposal(uint256 id) external view returns (Proposal memory) {
        if (id == 0 || id > proposals) revert StakeUnknown(id, 0);
        return _proposals[id];
    }

    /// @notice What is kept of a challenge.
    function challengeOf(uint256 id, uint256 index) external view returns (Challenge memory) {
        if (index >= _proposals[id].challenges) revert StakeUnknown(id, index);
        return _challenges[id][index];
    }

    /// @inheritdoc Batches
    function _proven(uint256 id, address payout) internal override {
        _settle(id, _proposals[id].outcome, payout);
    }

    /// @inheritdoc Batches
    function _acceptUnproven(uint256 batchNumber) internal override returns (address payout) {
        Batch storage found = _batches[batchNumber];
        uint256 id = found.proposal;
        if (id == 0) revert ProofMissing(batchNumber);
        Proposal storage made = _proposals[id];
        if (made.challenges != 0) revert BatchIsChallenged(batchNumber);
        uint256 from = found.committedAt + CHALLENGE_WINDOW;
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp <= from) revert WindowOpen(from);
        payout = made.proposer;
        _settle(id, made.outcome, payout);
    }

    /// @inheritdoc Batches
    function _progressed() internal override {
        super._progressed();
        disputedSince = 0;
    }

    /// @dev How long a dispute has held up escape, in seconds.
    function _pause() internal view returns (uint256 pause) {
        // slither-disable-next-line incorrect-equality (0 says that there is none)
        if (disputedSince == 0) return 0;
        pause = block.timestamp - disputedSince;
        if (pause > DISPUTE_CAP) pause = DISPUTE_CAP;
    }

    /// @dev Puts the same inputs with another outcome in the place of a proposal.
    function _replace(uint256 batchNumber, bytes calldata data, uint256 commitment)
        private
        returns (uint256 id, bytes32 outcome, uint256[] memory statement)
    {
        Proposal storage found;
        (id, found) = _open(batchNumber);
        BatchReader.Reading memory reading = _read(data, batchNumber, commitment);
        if (reading.inputs != found.inputs) revert InputsWrong(found.inputs, reading.inputs);
        (outcome, statement) = (reading.outcome, reading.statement);
        // slither-disable-next-line incorrect-equality (hashes)
        if (outcome == found.outcome) revert NotConflicting(outcome);
        if (committedBatches > batchNumber) _void(batchNumber + 1);
        _batches[batchNumber].proposal = 0; // what is proven now is not what was proposed
        _bind(batchNumber, reading);
    }

    function _settle(uint256 id, bytes32 outcome, address payout) private {
        Proposal storage found = _proposals[id];
        (found.settled, found.right, found.payout) = (true, outcome, payout);
        emit ProposalSettled(id, outcome, payout);
    }

    function _checkBond() private view {
        if (msg.value != bond) revert ValueWrong(bond, msg.value);
    }

    /// @dev The proposal of a batch that is committed and not proven.
    function _open(uint256 batchNumber) private view returns (uint256 id, Proposal storage found) {
        if (batchNumber <= provenBatches || batchNumber > committedBatches) revert NotProposed(batchNumber);
        id = _batches[batchNumber].proposal;
        // slither-disable-next-line incorrect-equality (0 says that there is none)
        if (id == 0) revert NotProposed(batchNumber);
        found = _proposals[id];
    }

    /// @dev Whether a proposal that is not settled never will be.
    function _isVoid(uint256 id) private view returns (bool) {
        uint256 number = _proposals[id].number;
        return _isFrozen() || number > committedBatches || _batches[number].proposal != id;
    }
}
