// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Groth16Verifier, Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {CommitmentVector, Groth16Vector} from "./Groth16Vector.sol";
import {Test} from "./Test.sol";

/// @dev Keys and proofs with a commitment; what they share with others, Groth16VerifierTest looks at.
contract Groth16CommitmentTest is Test {
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @dev First word of kappa, and of the IC points.
    uint256 private constant KAPPA = 15;
    uint256 private constant IC = 19;

    Groth16Verifier private verifier;

    function setUp() public {
        verifier = deploy(CommitmentVector.KEY);
    }

    function deploy(bytes memory key) public returns (Groth16Verifier) {
        return Groth16Verifier(address(new Groth16VerifierInit(key)));
    }

    function _set(bytes memory key, uint256 word, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(key, add(32, mul(32, word))), value)
        }
    }

    function _get(bytes memory key, uint256 word) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(key, add(32, mul(32, word))))
        }
    }

    function _refused(bytes memory key, bytes memory why) private {
        vm.expectRevert(why);
        this.deploy(key);
    }

    function _malformed(uint256[] memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofMalformed.selector));
        verifier.verify(proof, CommitmentVector.inputs());
    }

    function _invalid(uint256[] memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        verifier.verify(proof, CommitmentVector.inputs());
    }

    // -- the key -----------------------------------------------------------------------------------------------------

    function test_KeyIsReadBack() public {
        assertTrue(verifier.isDevelopment(), "flag 1 reads as development");
        assertEq(verifier.inputCount(), 4);
        assertEq(uint256(verifier.keyHash()), uint256(keccak256(CommitmentVector.KEY)));
        bytes memory key = CommitmentVector.KEY;
        _set(key, 0, 2);
        assertTrue(!deploy(key).isDevelopment(), "without it as no development");
    }

    function test_KeyWithoutRoomForAChallengeIsRefused() public {
        uint256[3] memory words = [uint256(17), 19, 21];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes memory cut = new bytes(32 * words[i]);
            for (uint256 j = 0; j < words[i]; ++j) {
                _set(cut, j, _get(CommitmentVector.KEY, j));
            }
            _refused(cut, abi.encodeWithSelector(Groth16VerifierInit.KeyLengthWrong.selector, cut.length));
        }
    }

    function test_EveryPointMustBeInItsGroup() public {
        bytes memory key = CommitmentVector.KEY;
        for (uint256 i = KAPPA; i < IC; ++i) {
            key = CommitmentVector.KEY;
            _set(key, i, addmod(_get(key, i), 1, P));
            _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotInGroup.selector));
        }
        uint256[] memory outside = Groth16Vector.outsideG2();
        for (uint256 i = 0; i < 4; ++i) {
            _set(key, KAPPA + i, outside[i]);
        }
        _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotInGroup.selector));
        for (uint256 i = IC; i < key.length / 32; i += 2) {
            key = CommitmentVector.KEY;
            _set(key, i, addmod(_get(key, i), 1, P));
            _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotOnCurve.selector, i));
        }
    }

    function test_EveryPointMustNotBeTheIdentity() public {
        uint256 words = CommitmentVector.KEY.length / 32;
        for (uint256 i = KAPPA; i < words; i += i < IC ? 4 : 2) {
            bytes memory key = CommitmentVector.KEY;
            for (uint256 j = i; j < i + (i < IC ? 4 : 2); ++j) {
                _set(key, j, 0);
            }
            _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointIsIdentity.selector, i));
        }
    }

    /// @dev With kappa = ±gamma anyone proves knowledge of any D: PoK = ±D.
    function test_KappaMustDifferFromBetaGammaDeltaUpToSign() public {
        for (uint256 first = 3; first < KAPPA; first += 4) {
            bytes memory key = CommitmentVector.KEY;
            bytes memory why = abi.encodeWithSelector(Groth16VerifierInit.KeyPointsDependent.selector, first, KAPPA);
            for (uint256 j = 0; j < 4; ++j) {
                _set(key, KAPPA + j, _get(key, first + j));
            }
            _refused(key, why);
            _set(key, KAPPA + 2, P - _get(key, first + 2));
            _set(key, KAPPA + 3, P - _get(key, first + 3));
            _refused(key, why);
        }
    }

    // -- proofs ------------------------------------------------------------------------------------------------------

    function test_ValidProofs() public view {
        verifier.verify(CommitmentVector.proof(), CommitmentVector.inputs());
        verifier.verify(CommitmentVector.another(), CommitmentVector.inputs());
    }

    /// @dev Four public inputs; with the first access to the account, without the transaction and its calldata.
    function test_GasOfAVerification() public view {
        address target = address(verifier);
        bytes memory call = abi.encodeCall(verifier.verify, (CommitmentVector.proof(), CommitmentVector.inputs()));
        uint256 before = gasleft();
        (bool ok,) = target.staticcall(call);
        uint256 used = before - gasleft();
        assertTrue(ok && used <= 270_000, "at most 270,000 gas");
    }

    function test_EveryWordOfTheProofCounts() public {
        for (uint256 i = 0; i < 12; ++i) {
            uint256[] memory proof = CommitmentVector.proof();
            proof[i] = addmod(proof[i], 1, P);
            _malformed(proof);
        }
    }

    function test_EveryPointOfTheProofCounts() public {
        uint256[5] memory starts = [uint256(0), 2, 6, 8, 10];
        for (uint256 i = 0; i < starts.length; ++i) {
            uint256[] memory proof = CommitmentVector.proof();
            uint256[] memory another = CommitmentVector.another();
            for (uint256 j = starts[i]; j < (i == 4 ? 12 : starts[i + 1]); ++j) {
                proof[j] = another[j];
            }
            _invalid(proof);

            proof = CommitmentVector.proof();
            (uint256 y, uint256 end) = i == 1 ? (uint256(4), uint256(6)) : (starts[i] + 1, starts[i] + 2);
            for (; y < end; ++y) {
                proof[y] = P - proof[y];
            }
            _invalid(proof);
        }
    }

    function test_EveryCoordinateOfTheProofMustBeInField() public {
        for (uint256 i = 0; i < 12; ++i) {
            uint256[] memory proof = CommitmentVector.proof();
            proof[i] += P;
            _malformed(proof);
        }
    }

    function test_CommitmentAndKnowledgeBelongTogether() public {
        uint256[] memory proof = CommitmentVector.proof();
        (proof[8], proof[9], proof[10], proof[11]) = (proof[10], proof[11], proof[8], proof[9]);
        _invalid(proof);
        uint256[] memory another = CommitmentVector.another();
        proof = CommitmentVector.proof();
        for (uint256 i = 8; i < 12; ++i) {
            proof[i] = another[i];
        }
        _invalid(proof);
    }

    function test_KnowledgeOfTheCommitmentIsChecked() public {
        _invalid(CommitmentVector.wrongSigma());
        uint256[] memory proof = CommitmentVector.proof();
        (proof[10], proof[11]) = (0, 0);
        _invalid(proof);
    }

    /// @dev Both equations hold of it: only a commitment without its mask is the identity.
    function test_TheEmptyCommitmentIsRefused() public {
        _malformed(CommitmentVector.empty());
        uint256[] memory proof = CommitmentVector.proof();
        (proof[8], proof[9]) = (0, 0);
        _malformed(proof);
    }

    function test_TheProverDoesNotChooseTheChallenge() public {
        _invalid(CommitmentVector.chosenChallenge());
    }

    function test_TheCallerDoesNotPassTheChallengeIn() public {
        uint256[] memory inputs = CommitmentVector.inputs();
        uint256[] memory more = new uint256[](5);
        for (uint256 i = 0; i < 4; ++i) {
            more[i] = inputs[i];
        }
        more[4] = 7;
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongInputCount.selector, 4, 5));
        verifier.verify(CommitmentVector.chosenChallenge(), more);
    }

    function test_EveryInputCounts() public {
        for (uint256 i = 0; i < 4; ++i) {
            uint256[] memory inputs = CommitmentVector.inputs();
            inputs[i] = addmod(inputs[i], 1, R);
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
            verifier.verify(CommitmentVector.proof(), inputs);
            inputs[i] = R;
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.InputNotInField.selector, i));
            verifier.verify(CommitmentVector.proof(), inputs);
        }
    }

    function test_ProofLengthMustFit() public {
        uint256[5] memory lengths = [uint256(0), 8, 11, 13, 16];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongProofLength.selector, 12, lengths[i]));
            verifier.verify(new uint256[](lengths[i]), CommitmentVector.inputs());
        }
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongProofLength.selector, 12, 8));
        verifier.verify(Groth16Vector.proof(), CommitmentVector.inputs());
        Groth16Verifier plain = deploy(Groth16Vector.KEY);
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongProofLength.selector, 8, 12));
        plain.verify(CommitmentVector.proof(), Groth16Vector.inputs());
    }

    /// @dev With any amount of gas too small, the call fails; it never returns.
    function testFuzz_TooLittleGasNeverVerifies(uint256 gasLimit) public view {
        bytes memory call = abi.encodeCall(verifier.verify, (CommitmentVector.proof(), CommitmentVector.inputs()));
        (bool ok,) = address(verifier).staticcall{gas: bound(gasLimit, 0, 255_000)}(call);
        assertTrue(!ok, "a failure");
    }

    function testFuzz_RandomCommitmentDoesNotVerify(uint256[4] memory words) public view {
        uint256[] memory proof = CommitmentVector.proof();
        for (uint256 i = 0; i < 4; ++i) {
            proof[8 + i] = words[i];
        }
        bytes memory call = abi.encodeCall(verifier.verify, (proof, CommitmentVector.inputs()));
        (bool ok,) = address(verifier).staticcall{gas: 1_000_000}(call);
        assertTrue(!ok, "a failure");
    }
}
