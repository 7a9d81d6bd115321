// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {AttesterCommittee} from "../src/AttesterCommittee.sol";
import {BatchData} from "../src/BatchData.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {IAttesters} from "../src/IAttesters.sol";
import {IVerifier} from "../src/IVerifier.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {VerifierRouter} from "../src/VerifierRouter.sol";
import {BlobVector} from "./BlobVector.sol";
import {Draft} from "./Drafts.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {MockVerifier} from "./Mocks.sol";
import {RollupTest} from "./RollupTest.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

contract RouterTest is RollupTest {
    function _refusedByRouter(address who, bytes memory call, bytes memory why) private {
        vm.prank(who);
        (bool ok, bytes memory answer) = address(router).call(call);
        assertTrue(!ok, "the call must fail");
        assertEq(answer, why);
    }

    function _why(bytes4 cause, bytes4 selector) private pure returns (bytes memory) {
        return abi.encodeWithSelector(cause, selector);
    }

    function _announce(IVerifierRouter.Route memory route) private returns (bytes4) {
        vm.prank(ROUTER_ADMIN);
        return router.announce(route);
    }

    function test_TheFirstCircuitsAreLiveAtOnce() public view {
        for (uint256 kind = 0; kind < 4; ++kind) {
            IVerifierRouter.Route memory route = router.live(selectors[kind]);
            BatchData.Sections memory room = _room(kind);
            assertEq(route.kind, kind);
            assertEq(route.queue, room.queue);
            assertEq(route.registrations, room.registrations);
            assertEq(route.transfers, room.transfers);
            assertEq(route.sessions, room.sessions);
            assertEq(address(route.attesters), kind == BatchData.ATTESTED ? address(committee) : address(0));
            assertTrue(router.selectorOf(route) == selectors[kind], "its selector");
            assertTrue(
                selectors[kind] == bytes4(keccak256(abi.encode(route.verifier.keyHash(), route))), "of key and route"
            );
            assertEq(router.since(selectors[kind]), NOW);
            assertTrue(!router.isFrozen(selectors[kind]), "not frozen");
        }
        assertEq(router.delay(), ROUTER_DELAY);
        assertEq(router.developmentChainId(), CHAIN);
    }

    function test_UnknownCircuits() public {
        bytes4 unknown = bytes4(hex"12345678");
        bytes memory why = _why(VerifierRouter.RouteUnknown.selector, unknown);
        uint256[] memory none;
        _refusedByRouter(ANYONE, abi.encodeCall(router.live, (unknown)), why);
        _refusedByRouter(ANYONE, abi.encodeCall(router.verify, (unknown, none, none)), why);
        _refusedByRouter(ROUTER_ADMIN, abi.encodeCall(router.cancel, (unknown)), why);
        _refusedByRouter(GUARDIAN, abi.encodeCall(router.freeze, (unknown)), why);
        assertEq(router.since(unknown), 0);
        Draft memory draft = _draft(1);
        _refused(OPERATOR, abi.encodeCall(rollup.commit, (unknown, _data(draft), 1, "")), why);
    }

    /// @dev Announced, then after the delay usable, to the second.
    function test_AnAdditionWaits() public {
        IVerifierRouter.Route memory route = _route(BatchData.CALLDATA, false);
        uint64 from = uint64(NOW + ROUTER_DELAY);
        vm.expectEmit();
        emit VerifierRouter.RouteAnnounced(router.selectorOf(route), route, from);
        bytes4 selector = _announce(route);
        assertEq(router.since(selector), from);
        bytes memory why = abi.encodeWithSelector(VerifierRouter.RouteNotYetUsable.selector, selector, from);
        vm.warp(from - 1);
        _refusedByRouter(ANYONE, abi.encodeCall(router.live, (selector)), why);
        Draft memory draft = _draft(1);
        _refused(OPERATOR, abi.encodeCall(rollup.commit, (selector, _data(draft), 1, "")), why);
        vm.warp(from);
        draft = _draft(1);
        _do(OPERATOR, abi.encodeCall(rollup.commit, (selector, _data(draft), draft.commitment, "")));
        assertTrue(rollup.batch(1).selector == selector, "pinned");
        _prove(draft);
        _refusedByRouter(
            ROUTER_ADMIN, abi.encodeCall(router.cancel, (selector)), _why(VerifierRouter.RouteUsable.selector, selector)
        );
        _refusedByRouter(
            ROUTER_ADMIN, abi.encodeCall(router.announce, (route)), _why(VerifierRouter.RouteExists.selector, selector)
        );
    }

    function test_ACancelledAdditionWaitsAnew() public {
        IVerifierRouter.Route memory route = _route(BatchData.CALLDATA, false);
        bytes4 selector = _announce(route);
        vm.warp(NOW + ROUTER_DELAY - 1);
        vm.expectEmit();
        emit VerifierRouter.RouteCancelled(selector);
        vm.prank(ROUTER_ADMIN);
        router.cancel(selector);
        vm.warp(NOW + ROUTER_DELAY);
        _refusedByRouter(
            ANYONE, abi.encodeCall(router.live, (selector)), _why(VerifierRouter.RouteUnknown.selector, selector)
        );
        assertTrue(_announce(route) == selector, "the same");
        assertEq(router.since(selector), NOW + 2 * ROUTER_DELAY);
    }

    function test_FrozenForGood() public {
        vm.expectEmit();
        emit VerifierRouter.RouteFrozen(selectors[0]);
        vm.prank(GUARDIAN);
        router.freeze(selectors[0]);
        assertTrue(router.isFrozen(selectors[0]), "frozen");
        bytes memory why = _why(VerifierRouter.RouteIsFrozen.selector, selectors[0]);
        _refusedByRouter(ANYONE, abi.encodeCall(router.live, (selectors[0])), why);
        uint256[] memory none;
        _refusedByRouter(ANYONE, abi.encodeCall(router.verify, (selectors[0], none, none)), why);
        _expectCommitRevert(_draft(1), why);
        vm.warp(NOW + 3650 days);
        _expectCommitRevert(_draft(1), why);
        assertTrue(!router.isFrozen(selectors[1]), "the others are live");
    }

    /// @dev Frozen before it was usable: it cannot be cancelled and announced again.
    function test_FrozenForGoodBeforeItWasUsable() public {
        IVerifierRouter.Route memory route = _route(BatchData.CALLDATA, false);
        bytes4 selector = _announce(route);
        vm.prank(GUARDIAN);
        router.freeze(selector);
        bytes memory why = _why(VerifierRouter.RouteIsFrozen.selector, selector);
        _refusedByRouter(ROUTER_ADMIN, abi.encodeCall(router.cancel, (selector)), why);
        _refusedByRouter(
            ROUTER_ADMIN, abi.encodeCall(router.announce, (route)), _why(VerifierRouter.RouteExists.selector, selector)
        );
        vm.warp(NOW + ROUTER_DELAY);
        _refusedByRouter(ANYONE, abi.encodeCall(router.live, (selector)), why);
    }

    function test_RoutesThatCannotBe() public {
        bytes4 why = VerifierRouter.RouteInvalid.selector;
        IVerifierRouter.Route memory route = _route(BatchData.CALLDATA, false);
        route.kind = 4;
        _refusedRoute(route, _why(why, router.selectorOf(route)));
        for (uint256 kind = 0; kind < 4; ++kind) {
            route = _route(kind, false);
            // Attesters where the kind has none, none where it has.
            route.attesters = kind == BatchData.ATTESTED ? IAttesters(address(0)) : IAttesters(address(committee));
            _refusedRoute(route, _why(why, router.selectorOf(route)));
            route = _route(kind, new MockVerifier(false, kind == BatchData.BLOB ? 4 : 6));
            (uint256 expected, uint256 got) = kind == BatchData.BLOB ? (6, 4) : (4, 6);
            _refusedRoute(route, abi.encodeWithSelector(VerifierRouter.VerifierInputsWrong.selector, expected, got));
        }
        route = _route(BatchData.FULL, false);
        route.registrations = 1;
        _refusedRoute(route, _why(why, router.selectorOf(route)));
    }

    function _refusedRoute(IVerifierRouter.Route memory route, bytes memory why) private {
        _refusedByRouter(ROUTER_ADMIN, abi.encodeCall(router.announce, (route)), why);
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](1);
        routes[0] = route;
        vm.expectRevert(why);
        new VerifierRouter(address(manager), 1, _listed(), routes);
    }

    function test_DevelopmentKeysOnListedChainsAlone() public {
        IVerifierRouter.Route memory route =
            _route(BatchData.CALLDATA, IVerifier(address(new Groth16VerifierInit(Groth16Vector.KEY))));
        assertTrue(route.verifier.isDevelopment(), "a development key");
        bytes4 selector = _announce(route);
        vm.warp(NOW + ROUTER_DELAY);
        router.live(selector);
        bytes memory why = abi.encodeWithSelector(VerifierRouter.DevelopmentKeyRefused.selector, 1);
        vm.chainId(1); // a fork of the chain
        _refusedByRouter(ANYONE, abi.encodeCall(router.live, (selector)), why);
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](1);
        routes[0] = route;
        vm.expectRevert(why);
        new VerifierRouter(address(manager), 1, _listed(), routes);
        vm.chainId(CHAIN);
        vm.expectRevert(abi.encodeWithSelector(VerifierRouter.DevelopmentKeyRefused.selector, CHAIN));
        new VerifierRouter(address(manager), 1, new uint256[](0), routes);
    }

    /// @dev A circuit with less room for queue items than the rollup promises could serve no overdue item.
    function test_ACircuitHasTheQueuesRoom() public {
        IVerifierRouter.Route[] memory routes = new IVerifierRouter.Route[](1);
        routes[0] = _route(BatchData.CALLDATA, false);
        routes[0].queue = 3;
        router = _router(routes);
        rollup = _deploy(_parameters());
        _expectCommitRevert(_draft(1), abi.encodeWithSelector(BatchReader.QueueRoomTooSmall.selector, 4, 3));
    }
}

contract CommitteeTest is RollupTest {
    function _made(address a, address b, address c, uint256 threshold) private returns (AttesterCommittee) {
        address[] memory attesters = new address[](3);
        (attesters[0], attesters[1], attesters[2]) = (a, b, c);
        return new AttesterCommittee(attesters, threshold);
    }

    function test_Views() public view {
        assertEq(committee.threshold(), 2);
        address[] memory attesters = committee.attesters();
        assertEq(attesters.length, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(attesters[i], _attesters()[i]);
            assertTrue(committee.isAttester(attesters[i]), "one of them");
        }
        assertTrue(!committee.isAttester(ANYONE), "none of them");
    }

    function test_ThresholdsThatCannotBe() public {
        bytes4 why = AttesterCommittee.ThresholdInvalid.selector;
        vm.expectRevert(abi.encodeWithSelector(why, 3, 0));
        _made(address(1), address(2), address(3), 0);
        vm.expectRevert(abi.encodeWithSelector(why, 3, 4));
        _made(address(1), address(2), address(3), 4);
        _made(address(1), address(2), address(3), 3);
        vm.expectRevert(abi.encodeWithSelector(why, 0, 0));
        new AttesterCommittee(new address[](0), 0);
    }

    function test_AttestersInOrderEachOnceAndNotZero() public {
        bytes4 why = AttesterCommittee.AttestersOutOfOrder.selector;
        vm.expectRevert(abi.encodeWithSelector(why, 0));
        _made(address(0), address(2), address(3), 1);
        vm.expectRevert(abi.encodeWithSelector(why, 1));
        _made(address(2), address(2), address(3), 1);
        vm.expectRevert(abi.encodeWithSelector(why, 2));
        _made(address(1), address(3), address(2), 1);
    }

    function _attested() private view returns (Draft memory) {
        return _draft(BatchData.ATTESTED, 1);
    }

    function _commitWith(bytes[] memory signatures) private view returns (bytes memory) {
        Draft memory draft = _attested();
        return abi.encodeCall(
            rollup.commit, (selectors[BatchData.ATTESTED], _data(draft), draft.commitment, abi.encode(signatures))
        );
    }

    function _signed(bytes32 digest, uint256[] memory keys) private pure returns (bytes[] memory signatures) {
        signatures = new bytes[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            signatures[i] = _signature(keys[i], digest);
        }
    }

    function _keys(uint256 a, uint256 b) private pure returns (uint256[] memory keys) {
        keys = new uint256[](2);
        (keys[0], keys[1]) = (_attesterKeys()[a], _attesterKeys()[b]);
    }

    function test_AnyTwoOfThree() public {
        bytes32 digest = _attestation(_attested());
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 a, uint256 b) = i == 0 ? (0, 1) : i == 1 ? (0, 2) : (1, 2);
            _do(OPERATOR, _commitWith(_signed(digest, _keys(a, b))));
            vm.revertToState(before);
        }
        uint256[] memory all = new uint256[](3);
        (all[0], all[1], all[2]) = (_attesterKeys()[0], _attesterKeys()[1], _attesterKeys()[2]);
        _do(OPERATOR, _commitWith(_signed(digest, all)));
    }

    function test_TooFew() public {
        bytes32 digest = _attestation(_attested());
        bytes4 why = AttesterCommittee.TooFewSignatures.selector;
        uint256[] memory one = new uint256[](1);
        one[0] = _attesterKeys()[0];
        _refused(OPERATOR, _commitWith(_signed(digest, one)), abi.encodeWithSelector(why, 2, 1));
        _refused(OPERATOR, _commitWith(new bytes[](0)), abi.encodeWithSelector(why, 2, 0));
    }

    function test_OutOfOrderOrTwice() public {
        bytes32 digest = _attestation(_attested());
        bytes4 why = AttesterCommittee.NotAnAttester.selector;
        address[] memory attesters = _attesters();
        _refused(OPERATOR, _commitWith(_signed(digest, _keys(1, 0))), abi.encodeWithSelector(why, 1, attesters[0]));
        _refused(OPERATOR, _commitWith(_signed(digest, _keys(1, 1))), abi.encodeWithSelector(why, 1, attesters[1]));
    }

    function test_AStrangersSignature() public {
        uint256[] memory keys = _keys(0, 1);
        keys[1] = 4;
        uint256 place = vm.addr(4) > vm.addr(keys[0]) ? 1 : 0;
        if (place == 0) (keys[0], keys[1]) = (keys[1], keys[0]);
        _refused(
            OPERATOR,
            _commitWith(_signed(_attestation(_attested()), keys)),
            abi.encodeWithSelector(AttesterCommittee.NotAnAttester.selector, place, vm.addr(4))
        );
    }

    function test_SignaturesThatAreNone() public {
        bytes32 digest = _attestation(_attested());
        bytes[] memory signatures = _signed(digest, _keys(0, 1));
        signatures[1] = hex"00";
        _refused(
            OPERATOR, _commitWith(signatures), abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 1)
        );
        signatures[1] = abi.encodePacked(uint256(1), uint256(1), uint8(0));
        _refused(OPERATOR, _commitWith(signatures), _error(ECDSA.ECDSAInvalidSignature.selector));
        // The other s of a signature is no second one.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_attesterKeys()[1], digest);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes32 high = bytes32(order - uint256(s));
        signatures[1] = abi.encodePacked(r, high, v ^ 7);
        _refused(OPERATOR, _commitWith(signatures), abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
    }

    /// @dev What is signed is this batch, its commitment and data, for this rollup on this chain.
    function test_SignaturesForAnother() public {
        address own = address(rollup);
        bytes32[5] memory digests;
        Draft memory other = _attested();
        other.number = 2;
        digests[0] = _attestation(other);
        other = _attested();
        ++other.commitment;
        digests[1] = _attestation(other);
        other = _attested();
        other.words[10] ^= 1;
        digests[2] = _attestation(other);
        Draft memory right = _attested();
        vm.chainId(CHAIN + 1);
        digests[3] = _attestation(right);
        vm.chainId(CHAIN);
        rollup = _deploy(_parameters());
        digests[4] = _attestation(right);
        rollup = AitbcRollup(own);
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(OPERATOR);
            (bool ok, bytes memory answer) = own.call(_commitWith(_signed(digests[i], _keys(0, 1))));
            // Some other address comes out of the signature.
            assertTrue(!ok && bytes4(answer) == AttesterCommittee.NotAnAttester.selector, "another digest");
        }
        _do(OPERATOR, _commitWith(_signed(_attestation(_attested()), _keys(0, 1))));
    }
}

contract BlobTest is RollupTest {
    function _blob() private view returns (Draft memory) {
        return _draft(BatchData.BLOB, 1);
    }

    function _commitWith(uint256 value, bytes memory commitment, bytes memory proof)
        private
        view
        returns (bytes memory)
    {
        Draft memory draft = _blob();
        return abi.encodeCall(
            rollup.commit,
            (selectors[BatchData.BLOB], _data(draft), draft.commitment, abi.encode(value, commitment, proof))
        );
    }

    function _wrong() private pure returns (bytes memory) {
        return abi.encodeWithSelector(BatchReader.BlobOpeningWrong.selector, BlobVector.VERSIONED_HASH);
    }

    /// @dev ζ is drawn from C, the data and the blob's hash: wherever it falls, the precompile takes the right value there
    /// and no other.
    function testFuzz_OpensAtAnyPoint(uint256 commitment, uint256 difference) public {
        Draft memory draft = _blob();
        draft.commitment = commitment % R;
        uint256[] memory statement = _statement(draft);
        uint256 value = statement[3] + statement[4] * 2 ** 128;
        assertEq(value, _blobValue(statement[1]));
        uint256 m = BlobVector.MODULUS;
        bytes memory evidence =
            abi.encode(addmod(value, bound(difference, 1, m - 1), m), BlobVector.COMMITMENT, BlobVector.PROOF);
        _blobs(true);
        _refused(
            OPERATOR,
            abi.encodeCall(rollup.commit, (selectors[BatchData.BLOB], _data(draft), draft.commitment, evidence)),
            _wrong()
        );
        _commit(draft);
        assertEq(rollup.batch(1).binding, keccak256(abi.encodePacked(statement)));
        _prove(draft);
        rollup.finalize(1);
        assertEq(rollup.stateRoot(), _root(1));
    }

    function test_WithoutABlob() public {
        _blobs(false);
        _refused(OPERATOR, _commitCall(_blob()), _error(BatchReader.BlobMissing.selector));
    }

    /// @dev The first blob counts, and another one is another statement.
    function test_AnotherBlob() public {
        bytes32 other = BlobVector.VERSIONED_HASH ^ bytes32(uint256(1));
        bytes32[] memory hashes = new bytes32[](2);
        (hashes[0], hashes[1]) = (other, BlobVector.VERSIONED_HASH);
        vm.blobhashes(hashes);
        _refused(OPERATOR, _commitCall(_blob()), abi.encodeWithSelector(BatchReader.BlobOpeningWrong.selector, other));
        (hashes[1], hashes[0]) = (hashes[0], hashes[1]);
        vm.blobhashes(hashes);
        _do(OPERATOR, _commitCall(_blob()));
    }

    function test_AnotherValueProofOrCommitment() public {
        _blobs(true);
        uint256 value = _blobValue(_statement(_blob())[1]);
        bytes memory commitment = BlobVector.COMMITMENT;
        bytes memory proof = BlobVector.PROOF;
        _refused(OPERATOR, _commitWith(value ^ 1, commitment, proof), _wrong());
        _refused(OPERATOR, _commitWith(value, proof, commitment), _wrong());
        _refused(OPERATOR, _commitWith(value, commitment, commitment), _wrong());
        bytes memory identity = new bytes(48);
        identity[0] = 0xc0;
        _refused(OPERATOR, _commitWith(value, commitment, identity), _wrong());
        _refused(OPERATOR, _commitWith(value, identity, proof), _wrong());
        _refused(OPERATOR, _commitWith(value, bytes.concat(commitment, hex"00"), proof), _wrong());
        _refused(OPERATOR, _commitWith(value, "", ""), _wrong());
        _do(OPERATOR, _commitWith(value, commitment, proof));
    }

    /// @dev Two values that are the same below m: only the lesser one is a blob's.
    function test_TheValueIsCanonical() public {
        _blobs(true);
        uint256 value = _blobValue(_statement(_blob())[1]);
        unchecked {
            _refused(
                OPERATOR, _commitWith(value + BlobVector.MODULUS, BlobVector.COMMITMENT, BlobVector.PROOF), _wrong()
            );
        }
    }

    function test_EvidenceThatIsNone() public {
        _blobs(true);
        Draft memory draft = _blob();
        bytes memory call =
            abi.encodeCall(rollup.commit, (selectors[BatchData.BLOB], _data(draft), draft.commitment, hex"1234"));
        _refused(OPERATOR, call, "");
    }

    /// @dev A blob in the transaction of a batch of another kind changes nothing.
    function test_ABlobBesideOtherKinds() public {
        _blobs(true);
        Draft memory draft = _draft(1);
        _do(OPERATOR, _commitCall(draft));
        assertEq(rollup.batch(1).binding, keccak256(abi.encodePacked(_statement(draft))));
    }
}
