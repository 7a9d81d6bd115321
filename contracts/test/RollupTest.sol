// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {AttesterCommittee} from "../src/AttesterCommittee.sol";
import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {IAttesters} from "../src/IAttesters.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {Parameters} from "../src/Parameters.sol";
import {VerifierRouter} from "../src/VerifierRouter.sol";
import {BlobVector} from "./BlobVector.sol";
import {Draft, Drafts} from "./Drafts.sol";
import {MockAccountProofs, MockVerifier} from "./Mocks.sol";
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAuthority} from "@openzeppelin/contracts/access/manager/IAuthority.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

/// @dev A rollup with a circuit of each kind, whose verifiers take exactly the proofs of `_proof`, and everybody around it.
abstract contract RollupTest is Drafts {
    uint256 internal constant NOW = 1_800_000_000;
    uint256 internal constant CHAIN = 31337;
    uint256 internal constant FEE = 1_000;
    uint256 internal constant BOND = 1 ether + 1; // odd, so that halves differ
    uint256 internal constant QUEUE_DELAY = 1 days;
    uint256 internal constant INTERVAL = 1 hours;
    uint256 internal constant PROVE_WINDOW = 1 days;
    uint256 internal constant CHALLENGE_WINDOW = 2 days;
    uint256 internal constant DISPUTE_CAP = 3 days;
    uint256 internal constant ESCAPE_DELAY = 7 days;
    uint256 internal constant WITHDRAWAL_DELAY = 6 hours;
    uint256 internal constant EXIT_DELAY = QUEUE_DELAY + ESCAPE_DELAY + DISPUTE_CAP + WITHDRAWAL_DELAY;
    uint256 internal constant UPGRADE_DELAY = 12 days;
    uint256 internal constant ROUTER_DELAY = 13 days;
    uint256 internal constant RATE_FLOOR = 5 ether;
    uint256 internal constant RATE_BPS = 1_000;

    uint64 internal constant OPERATOR_ROLE = 1;
    uint64 internal constant GUARDIAN_ROLE = 2;
    uint64 internal constant ROUTER_ROLE = 3;
    uint64 internal constant UPGRADER_ROLE = 4;
    address internal constant OPERATOR = address(0x0123);
    address internal constant GUARDIAN = address(0x0124);
    address internal constant ROUTER_ADMIN = address(0x0125);
    address internal constant UPGRADER = address(0x0126);
    address internal constant ANYONE = address(0x0456);
    address internal constant PAYOUT = address(0x0789);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);

    AccessManager internal manager;
    VerifierRouter internal router;
    AttesterCommittee internal committee;
    BatchReader internal reader;
    MockAccountProofs internal accountProofs;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.chainId(CHAIN);
        vm.deal(ALICE, 1_000 ether);
        vm.deal(BOB, 1_000 ether);
        manager = new AccessManager(address(this));
        committee = new AttesterCommittee(_attesters(), 2);
        reader = new BatchReader();
        accountProofs = new MockAccountProofs();
        router = _router(false);
        rollup = _deploy(_parameters());
    }

    // -- who and what there is ----------------------------------------------------------------------------------------

    function _parameters() internal pure virtual returns (Parameters memory) {
        return Parameters({
            shard: SHARD,
            asset: address(0),
            maxAge: uint64(MAX_AGE),
            queueRoom: uint64(_room().queue),
            queueDelay: uint64(QUEUE_DELAY),
            itemInterval: uint64(INTERVAL),
            queueFee: uint96(FEE),
            proveWindow: uint64(PROVE_WINDOW),
            challengeWindow: uint64(CHALLENGE_WINDOW),
            disputeCap: uint64(DISPUTE_CAP),
            escapeDelay: uint64(ESCAPE_DELAY),
            withdrawalDelay: uint64(WITHDRAWAL_DELAY),
            upgradeDelay: uint64(UPGRADE_DELAY),
            bond: uint96(BOND),
            rateFloor: uint96(RATE_FLOOR),
            rateBps: uint16(RATE_BPS)
        });
    }

    function _listed() internal pure returns (uint256[] memory ids) {
        ids = new uint256[](2);
        (ids[0], ids[1]) = (1337, CHAIN);
    }

    /// @dev Three, in ascending order; `_attesterKeys` has their keys.
    function _attesters() internal pure returns (address[] memory attesters) {
        uint256[3] memory keys = _attesterKeys();
        attesters = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            attesters[i] = vm.addr(keys[i]);
        }
    }

    function _attesterKeys() internal pure returns (uint256[3] memory keys) {
        keys = [uint256(1), 2, 3];
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                if (vm.addr(keys[j]) > vm.addr(keys[j + 1])) (keys[j], keys[j + 1]) = (keys[j + 1], keys[j]);
            }
        }
    }

    /// @dev A circuit of the tests' room with a verifier of its own.
    function _route(uint256 kind, bool development) internal returns (IVerifierRouter.Route memory) {
        return _route(kind, new MockVerifier(development, kind == BatchData.BLOB ? 6 : 4));
    }

    function _route(uint256 kind, IVerifier verifier) internal view returns (IVerifierRouter.Route memory) {
        BatchData.Sections memory room = _room(kind);
        return IVerifierRouter.Route({
            verifier: verifier,
            kind: uint8(kind),
            attesters: kind == BatchData.ATTESTED ? committee : IAttesters(address(0)),
            queue: uint16(room.queue),
            registrations: uint16(room.registrations),
            transfers: uint16(room.transfers),
            sessions: uint32(room.sessions)
        });
    }

    /// @dev A router with one circuit of each kind, whose selectors are kept.
    function _router(bool development) internal returns (VerifierRouter made) {
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](4);
        for (uint256 kind = 0; kind < 4; ++kind) {
            routes[kind] = _route(kind, development);
        }
        made = _router(routes);
    }

    function _router(IVerifierRouter.Route[] memory routes) internal returns (VerifierRouter made) {
        made = new VerifierRouter(address(manager), uint64(ROUTER_DELAY), _listed(), routes);
        for (uint256 i = 0; i < routes.length; ++i) {
            selectors[routes[i].kind] = made.selectorOf(routes[i]);
        }
        bytes4[] memory admins = new bytes4[](2);
        (admins[0], admins[1]) = (made.announce.selector, made.cancel.selector);
        _allow(address(made), admins, ROUTER_ROLE, ROUTER_ADMIN);
        bytes4[] memory guards = new bytes4[](1);
        guards[0] = made.freeze.selector;
        _allow(address(made), guards, GUARDIAN_ROLE, GUARDIAN);
    }

    function _allow(address target, bytes4[] memory functions, uint64 role, address who) internal {
        manager.setTargetFunctionRole(target, functions, role);
        manager.grantRole(role, who, 0);
    }

    function _implementation(Parameters memory p) internal returns (AitbcRollup) {
        return new AitbcRollup(IAuthority(address(manager)), reader, router, accountProofs, p);
    }

    function _deploy(Parameters memory p) internal returns (AitbcRollup made) {
        return _deploy(p, 0);
    }

    function _deploy(Parameters memory p, uint256 value) internal returns (AitbcRollup made) {
        bytes memory call = abi.encodeCall(AitbcRollup.initialize, (GENESIS_ROOT, value));
        made = AitbcRollup(address(new ERC1967Proxy{value: value}(address(_implementation(p)), call)));
        bytes4[] memory operator = new bytes4[](3);
        (operator[0], operator[1], operator[2]) =
        (made.commit.selector, made.commitAndProve.selector, made.rollback.selector);
        _allow(address(made), operator, OPERATOR_ROLE, OPERATOR);
        bytes4[] memory upgrader = new bytes4[](2);
        (upgrader[0], upgrader[1]) = (made.announceUpgrade.selector, made.cancelUpgrade.selector);
        _allow(address(made), upgrader, UPGRADER_ROLE, UPGRADER);
    }

    // -- batches ------------------------------------------------------------------------------------------------------

    /// @dev What a commit of a draft comes with: of a blob the opening at ζ, of attested data two signatures.
    function _evidence(Draft memory draft) internal view returns (bytes memory) {
        if (draft.kind == BatchData.BLOB) {
            return abi.encode(_blobValue(_statement(draft)[1]), BlobVector.COMMITMENT, BlobVector.PROOF);
        }
        if (draft.kind != BatchData.ATTESTED) return "";
        bytes[] memory signatures = new bytes[](2);
        uint256[3] memory keys = _attesterKeys();
        bytes32 digest = _attestation(draft);
        (signatures[0], signatures[1]) = (_signature(keys[0], digest), _signature(keys[2], digest));
        return abi.encode(signatures);
    }

    /// @dev EIP-712, written out.
    function _attestation(Draft memory draft) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AitbcRollup"),
                keccak256("2"),
                block.chainid,
                address(rollup)
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256("Attestation(uint256 batchNumber,uint256 commitment,bytes32 dataHash)"),
                draft.number,
                draft.commitment,
                keccak256(_data(draft))
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _blobs(bool present) internal {
        bytes32[] memory hashes = new bytes32[](present ? 1 : 0);
        if (present) hashes[0] = BlobVector.VERSIONED_HASH;
        vm.blobhashes(hashes);
    }

    function _commitCall(Draft memory draft) internal view returns (bytes memory) {
        return abi.encodeCall(rollup.commit, (selectors[draft.kind], _data(draft), draft.commitment, _evidence(draft)));
    }

    function _proveCall(Draft memory draft, address payout) internal view returns (bytes memory) {
        uint256[] memory statement = _statement(draft);
        return abi.encodeCall(rollup.prove, (draft.number, statement, payout, _proof(statement, payout)));
    }

    function _commitAndProveCall(Draft memory draft, address payout) internal view returns (bytes memory) {
        return abi.encodeCall(
            rollup.commitAndProve,
            (
                selectors[draft.kind],
                _data(draft),
                draft.commitment,
                _evidence(draft),
                payout,
                _proof(_statement(draft), payout)
            )
        );
    }

    function _proposeCall(Draft memory draft) internal view returns (bytes memory) {
        return abi.encodeCall(rollup.propose, (selectors[BatchData.FULL], _data(draft), draft.commitment));
    }

    function _settleCall(Draft memory draft, address payout) internal view returns (bytes memory) {
        return abi.encodeCall(
            rollup.settle, (draft.number, _data(draft), draft.commitment, payout, _proof(_statement(draft), payout))
        );
    }

    // -- what people do -----------------------------------------------------------------------------------------------

    /// @dev Calls the rollup as somebody, who is given the value for it; the call has to succeed.
    function _do(address who, uint256 value, bytes memory call) internal {
        if (value != 0) vm.deal(who, who.balance + value);
        vm.prank(who, who); // as the transaction's sender
        (bool ok, bytes memory answer) = address(rollup).call{value: value}(call);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function _do(address who, bytes memory call) internal {
        _do(who, 0, call);
    }

    /// @dev Calls the rollup as somebody; the call has to fail with exactly this error.
    function _refused(address who, uint256 value, bytes memory call, bytes memory why) internal {
        if (value != 0) vm.deal(who, who.balance + value);
        vm.prank(who, who); // as the transaction's sender
        (bool ok, bytes memory answer) = address(rollup).call{value: value}(call);
        assertTrue(!ok, "the call must fail");
        assertEq(answer, why);
    }

    function _refused(address who, bytes memory call, bytes memory why) internal {
        _refused(who, 0, call, why);
    }

    function _refused(bytes memory call, bytes memory why) internal {
        _refused(ANYONE, 0, call, why);
    }

    function _error(bytes4 selector) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector);
    }

    function _commit(Draft memory draft) internal {
        if (draft.kind == BatchData.BLOB) _blobs(true);
        _do(OPERATOR, _commitCall(draft));
        _blobs(false);
    }

    function _prove(Draft memory draft) internal {
        _do(ANYONE, _proveCall(draft, PAYOUT));
    }

    function _final(Draft memory draft) internal {
        _commit(draft);
        _prove(draft);
        rollup.finalize(draft.number);
    }

    function _commit(uint256 number) internal {
        _commit(_draft(number));
    }

    function _expectCommitRevert(Draft memory draft, bytes memory why) internal {
        _refused(OPERATOR, _commitCall(draft), why);
    }

    function _deposit(address who, uint32 index, uint256 amount) internal {
        _do(who, amount + FEE, abi.encodeCall(rollup.deposit, (index, uint88(amount))));
    }

    function _forceExit(address who, uint32 index, uint256 amount) internal {
        _do(who, FEE, abi.encodeCall(rollup.forceExit, (index, uint88(amount))));
    }

    /// @dev A final batch that owes somebody an amount, claimed.
    function _owe(address to, uint256 amount) internal {
        Draft memory draft = _draft(BatchData.CALLDATA, rollup.committedBatches() + 1, _sections(0, 0, 1, 0));
        (draft.words[10], draft.words[11]) = (0, _claimWord(to, amount));
        _final(draft);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        rollup.claim(draft.number, _section(draft), 1);
    }

    // -- the fallback -------------------------------------------------------------------------------------------------

    /// @dev Commits a batch, lets its window pass, and opens the fallback.
    function _openFallback() internal {
        _commit(_draft(BatchData.CALLDATA, rollup.committedBatches() + 1, _sections(0, 0, 0, 0)));
        vm.warp(block.timestamp + PROVE_WINDOW + 1);
        _do(ANYONE, abi.encodeCall(rollup.openFallback, ()));
    }

    function _propose(address who, Draft memory draft) internal returns (uint256 id) {
        _do(who, BOND, _proposeCall(draft));
        return rollup.proposals();
    }

    function _challenge(address who, uint256 id, bytes32 outcome) internal returns (uint256 index) {
        index = rollup.proposal(id).challenges;
        _do(who, BOND, abi.encodeCall(rollup.challenge, (id, outcome)));
    }

    function _settle(Draft memory draft) internal {
        _do(ANYONE, _settleCall(draft, PAYOUT));
    }

    // -- what there is ------------------------------------------------------------------------------------------------

    function _counters(uint256 committed, uint256 proven, uint256 finalized) internal view {
        assertEq(rollup.committedBatches(), committed);
        assertEq(rollup.provenBatches(), proven);
        assertEq(rollup.finalizedBatches(), finalized);
    }

    function _pointers(uint256 committed, uint256 proven, uint256 finalized) internal view {
        (uint256 a, uint256 b, uint256 c) = rollup.queuePointers();
        assertEq(a, committed);
        assertEq(b, proven);
        assertEq(c, finalized);
    }
}
