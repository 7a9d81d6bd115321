// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {OptimisticFallback} from "../src/OptimisticFallback.sol";
import {Parameters} from "../src/Parameters.sol";
import {Queue} from "../src/Queue.sol";
import {Draft} from "./Drafts.sol";
import {Ledger, TrueVerifier} from "./Ledger.sol";
import {MockAccountProofs} from "./Mocks.sol";
import {PlainToken} from "./Tokens.sol";

/// @dev Everybody around a rollup. People put in and take out; an operator and proposers post batches, true ones and
/// forged ones; provers prove what is true; challengers challenge, rightly and wrongly. One of them is honest: before
/// time passes it challenges every wrong proposal that stands on something true.
contract World is Ledger {
    address internal constant PROPOSER = address(0x9909);
    address internal constant CHALLENGER = address(0xc4a1);

    /// @dev Everyone to whom anything can be owed.
    address[8] public everyone = [ALICE, BOB, CAROL, DAVE, MALLORY, PAYOUT, PROPOSER, CHALLENGER];
    uint256 public time = NOW;
    uint256 public depositedValue;
    uint256 public paidValue;
    uint256 public coinsIn;
    uint256 public coinsOut;
    uint256 public escapedValue;
    /// @dev Claims of final batches that have not been made.
    uint256 public unclaimedValue;
    /// @dev How often things happened, so that a test can say that they do.
    mapping(bytes32 what => uint256) public count;

    /// @dev The asset, if it is not the chain's coin.
    PlainToken private _token;
    uint256[] private _finalRoots;
    uint256[5] private _before;
    mapping(uint256 number => bytes draft) private _drafts;
    mapping(uint256 number => bool) private _isRight;

    constructor(bool withToken) {
        setUp();
        verifier = new TrueVerifier();
        accountProofs = MockAccountProofs(address(this));
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](2);
        (routes[0], routes[1]) = (_route(BatchData.CALLDATA, verifier), _route(BatchData.FULL, verifier));
        router = _router(routes);
        Parameters memory p = _parameters();
        if (withToken) {
            _token = new PlainToken();
            p.asset = address(_token);
        } else {
            depositedValue = 10 ether;
            vm.deal(address(this), depositedValue);
        }
        _genesis(depositedValue);
        rollup = _deploy(p, depositedValue);
        _finalRoots.push(GENESIS_ROOT);
    }

    function rollupAddress() external view returns (address) {
        return address(rollup);
    }

    modifier step(bytes32 what) {
        vm.warp(time);
        ++count[what];
        _;
        _checkOrder();
    }

    /// @dev How much of the asset somebody has.
    function assetOf(address who) public view returns (uint256) {
        return address(_token) == address(0) ? who.balance : _token.balanceOf(who);
    }

    /// @dev As somebody; whether it went through.
    function _try(address who, uint256 value, bytes memory call) private returns (bool ok) {
        vm.deal(who, who.balance + value);
        vm.prank(who, who);
        (ok,) = address(rollup).call{value: value}(call);
        if (!ok) vm.deal(who, who.balance - value);
    }

    function _who(uint256 seed) private view returns (address) {
        return everyone[seed % 8];
    }

    // -- money in and out ---------------------------------------------------------------------------------------------

    function deposit(uint256 seed, uint32 index, uint256 amount) external step("deposit") {
        amount = bound(amount, 1, 3 ether);
        address who = _who(seed);
        uint256 value = FEE + amount;
        if (address(_token) != address(0)) {
            value = FEE;
            _token.mint(who, amount);
            vm.prank(who);
            _token.approve(address(rollup), amount);
        }
        if (!_try(who, value, abi.encodeCall(rollup.deposit, (index % 6, uint88(amount))))) return;
        depositedValue += amount;
        coinsIn += FEE;
    }

    function forceExit(uint256 seed, uint32 index, uint256 amount) external step("exit") {
        bytes memory call = abi.encodeCall(rollup.forceExit, (index % 6, uint88(bound(amount, 1, 4 ether))));
        if (_try(_who(seed), FEE, call)) coinsIn += FEE;
    }

    function forceTransfer(uint256 seed, uint32 from, uint32 to, uint256 amount) external step("transfer") {
        bytes memory call = abi.encodeCall(rollup.forceTransfer, (from % 6, to % 6, uint88(bound(amount, 1, 4 ether))));
        if (_try(_who(seed), FEE, call)) coinsIn += FEE;
    }

    /// @dev Any word of any batch, claim or not, made before or not.
    function claim(uint256 batchSeed, uint256 word) external step("claim") {
        if (rollup.finalizedBatches() == 0) return;
        uint256 number = bound(batchSeed, 1, rollup.finalizedBatches());
        bytes memory section = _section(abi.decode(_drafts[number], (Draft)));
        word = bound(word, 0, section.length / 32);
        if (!_try(MALLORY, 0, abi.encodeCall(rollup.claim, (number, section, word)))) return;
        unclaimedValue -= uint88(_claimWords(abi.decode(_drafts[number], (Draft)))[word]);
        ++count["claimed"];
    }

    function withdraw(uint256 seed) external step("withdraw") {
        address to = _who(seed);
        uint256 before = assetOf(to);
        if (_try(MALLORY, 0, abi.encodeCall(rollup.withdraw, (to)))) ++count["withdrawn"];
        paidValue += assetOf(to) - before;
    }

    function collect(uint256 seed) external step("collect") {
        address to = _who(seed);
        uint256 before = to.balance;
        if (_try(MALLORY, 0, abi.encodeCall(rollup.collect, (to)))) ++count["collected"];
        coinsOut += to.balance - before;
    }

    // -- batches --------------------------------------------------------------------------------------------------------

    /// @dev The next batch: with the true outcome if it stands on a true root and is not to be a forged one.
    function _next(uint256 kind, uint256 seed, bool forged) private returns (Draft memory draft, bool right) {
        uint256 number = rollup.committedBatches() + 1;
        (uint256 committed,,) = rollup.queuePointers();
        uint256 waiting = rollup.queuedItems() - committed;
        // Often all of them, as what is overdue must be taken.
        uint256 queue = waiting < 4 ? waiting : 4;
        if (seed & 3 == 0) queue = (seed >> 2) % (queue + 1);
        draft = _draft(kind, number, _sections(queue, 0, seed >> 8 & 1, 0));
        draft.words[7] = block.timestamp;
        draft.words[8] = rollup.batch(number - 1).newRoot;
        right = isTrue[draft.words[8]];
        if (right) {
            _truth(draft, (seed >> 16) % ACCOUNTS, (seed >> 32) % 3 ether);
            if (forged) {
                _untruth(draft, seed >> 128);
                right = false;
            }
        } else {
            _untruth(draft, seed >> 128);
        }
    }

    function _keep(Draft memory draft, bool right) private {
        (_drafts[draft.number], _isRight[draft.number]) = (abi.encode(draft), right);
    }

    function commitBatch(uint256 seed) external step("commit") {
        (Draft memory draft, bool right) = _next(BatchData.CALLDATA, seed, seed >> 200 & 3 == 0);
        if (_try(OPERATOR, 0, _commitCall(draft))) _keep(draft, right);
    }

    function commitAndProveBatch(uint256 seed) external step("commitAndProve") {
        (Draft memory draft, bool right) = _next(BatchData.CALLDATA, seed, seed >> 200 & 7 == 0);
        if (!_try(OPERATOR, 0, _commitAndProveCall(draft, PAYOUT))) return;
        assertTrue(right, "a forged batch was proven");
        _keep(draft, right);
    }

    function proveBatch(uint256 seed) external step("prove") {
        uint256 number = rollup.provenBatches() + 1;
        if (number > rollup.committedBatches()) return;
        Draft memory draft = abi.decode(_drafts[number], (Draft));
        bool ok = _try(MALLORY, 0, _proveCall(draft, seed & 1 == 0 ? PAYOUT : MALLORY));
        assertTrue(!ok || _isRight[number], "a forged batch was proven");
        if (ok) ++count["proven"];
    }

    function finalizeBatches(uint256 seed) external step("finalize") {
        (uint256 from, uint256 to) = (rollup.finalizedBatches(), rollup.committedBatches());
        if (from == to) return;
        uint256 upTo = bound(seed, from + 1, to);
        if (!_try(MALLORY, 0, abi.encodeCall(rollup.finalize, (upTo)))) return;
        ++count["finalized"];
        for (uint256 number = from + 1; number <= upTo; ++number) {
            uint256 root = rollup.finalRoot(number);
            assertTrue(isTrue[root] && parentOf[root] == _finalRoots[number - 1], "a wrong root is final");
            assertTrue(_isRight[number], "a forged batch is final");
            if (rollup.batch(number).proposal != 0) ++count["optimistic or proven proposal"];
            _finalRoots.push(root);
            uint256[] memory words = _claimWords(abi.decode(_drafts[number], (Draft)));
            for (uint256 i = 0; i < words.length; ++i) {
                unclaimedValue += uint88(words[i]);
            }
        }
    }

    function rollBack(uint256 seed) external step("rollback") {
        (uint256 from, uint256 to) = (rollup.finalizedBatches(), rollup.committedBatches());
        if (from == to || seed & 1 == 0) return;
        bytes memory call = abi.encodeCall(rollup.rollback, (bound(seed >> 8, from + 1, to)));
        if (_try(seed & 2 == 0 ? OPERATOR : MALLORY, 0, call)) ++count["rolled back"];
    }

    // -- fallback -------------------------------------------------------------------------------------------------------

    function openFallback() external step("open") {
        if (_try(MALLORY, 0, abi.encodeCall(rollup.openFallback, ()))) ++count["opened"];
    }

    function propose(uint256 seed) external step("propose") {
        (Draft memory draft, bool right) = _next(BatchData.FULL, seed, seed >> 200 & 1 == 0);
        if (!_try(right ? PROPOSER : MALLORY, BOND, _proposeCall(draft))) return;
        coinsIn += BOND;
        ++count["proposed"];
        _keep(draft, right);
    }

    /// @dev Anybody, of any proposal, with any outcome.
    function challenge(uint256 seed, uint256 id, bytes32 outcome) external step("challenge") {
        if (rollup.proposals() == 0) return;
        id = bound(id, 1, rollup.proposals());
        uint256 number = rollup.proposal(id).number;
        if (seed & 8 == 0 && number <= rollup.committedBatches() && _isMendable(number)) {
            outcome = _outcome(_mended(number)); // the right one, not as the first perhaps
        }
        if (_try(_who(seed), BOND, abi.encodeCall(rollup.challenge, (id, outcome)))) {
            coinsIn += BOND;
            ++count["challenged"];
        }
    }

    /// @dev Whether a committed batch is a wrong proposal on a true root.
    function _isMendable(uint256 number) private view returns (bool) {
        return rollup.batch(number).proposal != 0 && !_isRight[number] && isTrue[rollup.batch(number - 1).newRoot];
    }

    /// @dev It, with its true outcome.
    function _mended(uint256 number) private returns (Draft memory draft) {
        draft = abi.decode(_drafts[number], (Draft));
        uint256 queue = draft.used.queue;
        (uint256 index, uint256 amount) =
            draft.used.transfers == 0 ? (0, 0) : (draft.words[11 + queue], draft.words[12 + queue]);
        _truth(draft, index, amount);
    }

    function settle(uint256 seed) external step("settle") {
        uint256 number = rollup.provenBatches() + 1;
        if (number > rollup.committedBatches() || !_isMendable(number)) return;
        Draft memory draft = _mended(number);
        if (!_try(MALLORY, 0, _settleCall(draft, seed & 1 == 0 ? PAYOUT : MALLORY))) return;
        ++count["settled"];
        _keep(draft, true);
    }

    function claimStake(uint256 id, uint256 index) external step("stake") {
        if (rollup.proposals() == 0) return;
        id = bound(id, 1, rollup.proposals());
        uint256 challenges = rollup.proposal(id).challenges;
        index = bound(index, 0, challenges);
        bytes memory call = index == challenges
            ? abi.encodeCall(rollup.claimProposal, (id))
            : abi.encodeCall(rollup.claimChallenge, (id, index));
        if (_try(MALLORY, 0, call)) ++count["staked out"];
    }

    /// @dev The honest challenger has seen everything before time passes.
    function pass(uint256 seconds_) external step("wait") {
        for (uint256 number = rollup.provenBatches() + 1; number <= rollup.committedBatches(); ++number) {
            if (!_isMendable(number)) continue;
            uint256 id = rollup.batch(number).proposal;
            bytes32 outcome = _outcome(_mended(number));
            if (_hasChallenged(id, outcome)) continue;
            if (_try(CHALLENGER, BOND, abi.encodeCall(rollup.challenge, (id, outcome)))) coinsIn += BOND;
        }
        // Hours mostly, sometimes days, now and then so long that all clocks run out.
        uint256 kind = uint256(keccak256(abi.encode(seconds_, time))) % 8;
        time += bound(seconds_, 1, kind == 0 ? 30 days : kind < 4 ? 2 days : 2 hours);
    }

    function _hasChallenged(uint256 id, bytes32 outcome) private view returns (bool) {
        uint256 challenges = rollup.proposal(id).challenges;
        for (uint256 i = 0; i < challenges; ++i) {
            OptimisticFallback.Challenge memory made = rollup.challengeOf(id, i);
            if (made.challenger == CHALLENGER && made.outcome == outcome) return true;
        }
        return false;
    }

    // -- the end ----------------------------------------------------------------------------------------------------------

    /// @dev Seldom: a circuit is frozen.
    function freezeCircuit(uint256 seed) external step("guardian") {
        if (seed & 31 != 0) return;
        vm.prank(GUARDIAN);
        router.freeze(selectors[seed & 32 == 0 ? BatchData.CALLDATA : BatchData.FULL]);
        ++count["circuits frozen"];
    }

    function freeze() external step("freeze") {
        if (_try(MALLORY, 0, abi.encodeCall(rollup.freeze, ()))) ++count["frozen"];
    }

    /// @dev Any account, with its balance or with another.
    function escape(uint256 index, uint256 wrong) external step("escape") {
        index = index % (ACCOUNTS + 1);
        uint256 balance = index < ACCOUNTS ? balances[rollup.stateRoot()][index] : 1 ether;
        bool forged = wrong & 3 == 0 || index == ACCOUNTS;
        if (forged) balance += 1 + wrong % 1 ether;
        uint256[8] memory leaf;
        (leaf[2], leaf[3]) = (uint160(index < ACCOUNTS ? _owner(index) : MALLORY), balance);
        uint256[48] memory siblings;
        if (!_try(MALLORY, 0, abi.encodeCall(rollup.escape, (uint32(index), leaf, siblings)))) return;
        assertTrue(!forged, "nobody leaves with more than is there");
        escapedValue += balance;
        ++count["escaped"];
    }

    function refund(uint256 number) external step("refund") {
        if (_try(MALLORY, 0, abi.encodeCall(rollup.refund, (number % (rollup.queuedItems() + 2))))) {
            ++count["refunded"];
        }
    }

    // -- what must be so after every step ---------------------------------------------------------------------------------

    /// @dev committed ≥ proven ≥ finalized, of batches and of queue items; what is final stays; nothing final goes back.
    function _checkOrder() private {
        (uint256 committed, uint256 proven, uint256 finalized) = rollup.queuePointers();
        uint256[3] memory batches =
            [uint256(rollup.committedBatches()), rollup.provenBatches(), rollup.finalizedBatches()];
        assertTrue(batches[0] >= batches[1] && batches[1] >= batches[2], "batches out of order");
        assertTrue(
            rollup.queuedItems() >= committed && committed >= proven && proven >= finalized, "items out of order"
        );
        assertTrue(batches[2] >= _before[0] && finalized >= _before[1], "a final batch went back");
        assertTrue(rollup.queuedItems() >= _before[2] && rollup.proposals() >= _before[3], "a number went back");
        assertTrue(rollup.frozen() || _before[4] == 0, "no longer frozen");
        assertTrue(batches[2] + 1 == _finalRoots.length, "a batch became final in another way");
        assertEq(rollup.stateRoot(), _finalRoots[batches[2]]);
        uint256 old = time % _finalRoots.length;
        assertEq(rollup.finalRoot(old), _finalRoots[old]);
        _before = [batches[2], finalized, rollup.queuedItems(), rollup.proposals(), rollup.frozen() ? 1 : 0];
    }

    // -- what there is ----------------------------------------------------------------------------------------------------

    /// @dev A batch's section, with 0 where no claim can stand.
    function _claimWords(Draft memory draft) private pure returns (uint256[] memory words) {
        bool full = draft.kind == BatchData.FULL;
        words = new uint256[](draft.used.queue + (full ? 1 : 2) * draft.used.transfers);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = draft.words[10 + i];
        }
        if (!full && draft.used.transfers == 1) words[draft.used.queue] = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            if (uint160(words[i] >> 88) == 0) words[i] = 0;
        }
    }

    /// @dev Deposits that no final batch has taken and that did not go back, and fees of all such items.
    function pending() public view returns (uint256 value, uint256 fees) {
        (,, uint256 finalized) = rollup.queuePointers();
        uint256 queued = rollup.queuedItems();
        for (uint256 number = finalized + 1; number <= queued; ++number) {
            Queue.Item memory item = rollup.item(number);
            if (item.refunded) continue;
            fees += FEE;
            if (item.word & 0xff == 1) value += item.word >> 72;
        }
    }

    function heldByAccounts() public view returns (uint256) {
        return held(rollup.stateRoot()) - escapedValue;
    }

    function owed() public view returns (uint256 value, uint256 coins) {
        for (uint256 i = 0; i < 8; ++i) {
            value += rollup.owed(everyone[i]);
            coins += rollup.ethOwed(everyone[i]);
        }
    }

    /// @dev Bonds that are neither paid back, nor paid to others, nor burned; and how many lost ones were parted.
    function bonds() public view returns (uint256 open, uint256 lost) {
        for (uint256 id = 1; id <= rollup.proposals(); ++id) {
            OptimisticFallback.Proposal memory made = rollup.proposal(id);
            bool wrong = made.settled && made.right != made.outcome;
            if (wrong) ++lost;
            else if (!made.paid) open += BOND;
            for (uint256 i = 0; i < made.challenges; ++i) {
                OptimisticFallback.Challenge memory other = rollup.challengeOf(id, i);
                if (!other.paid) open += BOND;
                else if (made.settled && other.outcome != made.right) ++lost;
            }
        }
    }

    // -- the end of it all --------------------------------------------------------------------------------------------------

    /// @dev Nobody works any more: an exit is queued if the rollup is live, and after all delays anyone freezes it. Then
    /// everybody takes what is due, everything twice, and nothing is left.
    function windUp() external {
        vm.warp(time);
        if (!rollup.frozen()) {
            _do(ALICE, FEE, abi.encodeCall(rollup.forceExit, (0, 1)));
            coinsIn += FEE;
            time = rollup.item(rollup.queuedItems()).deadline + ESCAPE_DELAY + DISPUTE_CAP + 1;
            vm.warp(time);
            rollup.freeze();
        }
        time += WITHDRAWAL_DELAY;
        vm.warp(time);
        for (uint256 twice = 0; twice < 2; ++twice) {
            _everyAccountLeaves();
            for (uint256 i = 1; i <= rollup.queuedItems(); ++i) {
                _try(MALLORY, 0, abi.encodeCall(rollup.refund, (i)));
            }
            for (uint256 number = 1; number <= rollup.finalizedBatches(); ++number) {
                Draft memory draft = abi.decode(_drafts[number], (Draft));
                for (uint256 i = 0; i < draft.words.length - 10; ++i) {
                    _try(MALLORY, 0, abi.encodeCall(rollup.claim, (number, _section(draft), i)));
                }
            }
            for (uint256 id = 1; id <= rollup.proposals(); ++id) {
                _try(MALLORY, 0, abi.encodeCall(rollup.claimProposal, (id)));
                for (uint256 i = 0; i < rollup.proposal(id).challenges; ++i) {
                    _try(MALLORY, 0, abi.encodeCall(rollup.claimChallenge, (id, i)));
                }
            }
            for (uint256 i = 0; i < 8; ++i) {
                uint256 before = assetOf(everyone[i]);
                _try(MALLORY, 0, abi.encodeCall(rollup.withdraw, (everyone[i])));
                paidValue += assetOf(everyone[i]) - before;
                before = everyone[i].balance;
                _try(MALLORY, 0, abi.encodeCall(rollup.collect, (everyone[i])));
                coinsOut += everyone[i].balance - before;
            }
        }
    }

    function _everyAccountLeaves() private {
        uint256 root = rollup.stateRoot();
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            uint256[8] memory leaf;
            (leaf[2], leaf[3]) = (uint160(_owner(i)), balances[root][i]);
            uint256[48] memory siblings;
            bool ok = _try(MALLORY, 0, abi.encodeCall(rollup.escape, (uint32(i), leaf, siblings)));
            if (ok) escapedValue += leaf[3];
        }
    }
}
