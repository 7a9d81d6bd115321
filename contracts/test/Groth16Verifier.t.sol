// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Groth16Verifier, Groth16VerifierInit} from "../src/Groth16Verifier.sol";
import {Groth16Vector} from "./Groth16Vector.sol";
import {Test} from "./Test.sol";

contract Groth16VerifierTest is Test {
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    Groth16Verifier private verifier;

    function setUp() public {
        verifier = deploy(Groth16Vector.KEY);
    }

    function deploy(bytes memory key) public returns (Groth16Verifier) {
        return Groth16Verifier(address(new Groth16VerifierInit(key)));
    }

    function _with(uint256 word, uint256 value) private pure returns (bytes memory key) {
        key = Groth16Vector.KEY;
        _set(key, word, value);
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

    // -- the key -----------------------------------------------------------------------------------------------------

    function test_CodeIsRuntimeThenKeyThenLength() public view {
        bytes memory key = Groth16Vector.KEY;
        bytes memory expected = bytes.concat(type(Groth16Verifier).runtimeCode, key, bytes32(key.length));
        assertEq(uint256(keccak256(address(verifier).code)), uint256(keccak256(expected)));
    }

    function test_KeyIsReadBack() public {
        assertTrue(verifier.isDevelopment(), "flag 1 reads as development");
        assertEq(verifier.inputCount(), 4);
        assertEq(uint256(verifier.keyHash()), uint256(keccak256(Groth16Vector.KEY)));
        assertTrue(!deploy(_with(0, 0)).isDevelopment(), "flag 0 reads as no development");
    }

    function test_KeyOfWrongLengthIsRefused() public {
        bytes memory key = Groth16Vector.KEY;
        uint256[5] memory lengths = [uint256(0), 480, key.length - 1, key.length - 32, 512];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory cut = new bytes(lengths[i]);
            for (uint256 j = 0; j < cut.length; ++j) {
                cut[j] = key[j];
            }
            _refused(cut, abi.encodeWithSelector(Groth16VerifierInit.KeyLengthWrong.selector, cut.length));
        }
    }

    function test_KeyWithUnknownFlagIsRefused() public {
        _refused(_with(0, 4), abi.encodeWithSelector(Groth16VerifierInit.KeyFlagsUnknown.selector, 4));
        _refused(_with(0, 1 << 255), abi.encodeWithSelector(Groth16VerifierInit.KeyFlagsUnknown.selector, 1 << 255));
    }

    function test_EveryCoordinateMustBeInField() public {
        bytes memory key = Groth16Vector.KEY;
        for (uint256 i = 1; i < key.length / 32; ++i) {
            bytes memory why = abi.encodeWithSelector(Groth16VerifierInit.KeyCoordinateNotInField.selector, i);
            _refused(_with(i, P), why);
            unchecked {
                // The same residue in another representation.
                _refused(_with(i, _get(key, i) + P), why);
            }
        }
    }

    function test_EveryPointMustNotBeTheIdentity() public {
        uint256 words = Groth16Vector.KEY.length / 32;
        for (uint256 i = 1; i < words; i += 0) {
            uint256 size = i >= 3 && i < 15 ? 4 : 2;
            bytes memory key = Groth16Vector.KEY;
            for (uint256 j = i; j < i + size; ++j) {
                _set(key, j, 0);
            }
            _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointIsIdentity.selector, i));
            i += size;
        }
    }

    function test_EveryPointOfG1MustBeOnTheCurve() public {
        uint256 words = Groth16Vector.KEY.length / 32;
        for (uint256 i = 1; i < words; i = i == 1 ? 15 : i + 2) {
            bytes memory why = abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotOnCurve.selector, i);
            _refused(_with(i, addmod(_get(Groth16Vector.KEY, i), 1, P)), why);
            _refused(_with(i + 1, addmod(_get(Groth16Vector.KEY, i + 1), 1, P)), why);
        }
    }

    function test_EveryPointOfG2MustBeOnTheTwist() public {
        for (uint256 i = 3; i < 15; ++i) {
            _refused(
                _with(i, addmod(_get(Groth16Vector.KEY, i), 1, P)),
                abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotInGroup.selector)
            );
        }
    }

    function test_EveryPointOfG2MustBeInTheSubgroup() public {
        uint256[] memory outside = Groth16Vector.outsideG2();
        for (uint256 i = 3; i < 15; i += 4) {
            bytes memory key = Groth16Vector.KEY;
            for (uint256 j = 0; j < 4; ++j) {
                _set(key, i + j, outside[j]);
            }
            _refused(key, abi.encodeWithSelector(Groth16VerifierInit.KeyPointNotInGroup.selector));
        }
    }

    function test_BetaGammaDeltaMustDifferUpToSign() public {
        uint256[2][3] memory pairs = [[uint256(3), 7], [uint256(3), 11], [uint256(7), 11]];
        for (uint256 i = 0; i < pairs.length; ++i) {
            (uint256 first, uint256 second) = (pairs[i][0], pairs[i][1]);
            bytes memory why = abi.encodeWithSelector(Groth16VerifierInit.KeyPointsDependent.selector, first, second);
            bytes memory key = Groth16Vector.KEY;
            for (uint256 j = 0; j < 4; ++j) {
                _set(key, second + j, _get(key, first + j));
            }
            _refused(key, why);
            _set(key, second + 2, P - _get(key, first + 2));
            _set(key, second + 3, P - _get(key, first + 3));
            _refused(key, why);
        }
    }

    // -- proofs ------------------------------------------------------------------------------------------------------

    function test_ValidProof() public view {
        verifier.verify(Groth16Vector.proof(), Groth16Vector.inputs());
    }

    function test_EveryWordOfTheProofCounts() public {
        for (uint256 i = 0; i < 8; ++i) {
            uint256[] memory proof = Groth16Vector.proof();
            proof[i] = addmod(proof[i], 1, P);
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofMalformed.selector));
            verifier.verify(proof, Groth16Vector.inputs());
        }
    }

    function test_EveryCoordinateOfTheProofMustBeInField() public {
        for (uint256 i = 0; i < 8; ++i) {
            uint256[] memory proof = Groth16Vector.proof();
            proof[i] += P;
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofMalformed.selector));
            verifier.verify(proof, Groth16Vector.inputs());
        }
    }

    function test_AnotherPointInTheProofIsInvalid() public {
        uint256[] memory proof = Groth16Vector.proof();
        proof[1] = P - proof[1]; // −A
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        verifier.verify(proof, Groth16Vector.inputs());

        proof = Groth16Vector.proof();
        (proof[4], proof[5]) = (P - proof[4], P - proof[5]); // −B
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        verifier.verify(proof, Groth16Vector.inputs());

        proof = Groth16Vector.proof();
        (proof[6], proof[7]) = (1, 2); // C = the generator
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        verifier.verify(proof, Groth16Vector.inputs());
    }

    function test_IdentityPointsAreInvalid() public {
        uint256[] memory proof = new uint256[](8);
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
        verifier.verify(proof, Groth16Vector.inputs());
    }

    function test_BOutsideTheSubgroupIsMalformed() public {
        uint256[] memory proof = Groth16Vector.proof();
        uint256[] memory outside = Groth16Vector.outsideG2();
        (proof[2], proof[3], proof[4], proof[5]) = (outside[0], outside[1], outside[2], outside[3]);
        vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofMalformed.selector));
        verifier.verify(proof, Groth16Vector.inputs());
    }

    function test_EveryInputCounts() public {
        for (uint256 i = 0; i < 4; ++i) {
            uint256[] memory inputs = Groth16Vector.inputs();
            inputs[i] = addmod(inputs[i], 1, R);
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.ProofInvalid.selector));
            verifier.verify(Groth16Vector.proof(), inputs);
        }
    }

    function test_EveryInputMustBeInField() public {
        for (uint256 i = 0; i < 4; ++i) {
            uint256[] memory inputs = Groth16Vector.inputs();
            inputs[i] += R; // the same residue: the precompiles would take it
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.InputNotInField.selector, i));
            verifier.verify(Groth16Vector.proof(), inputs);
            inputs[i] = R;
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.InputNotInField.selector, i));
            verifier.verify(Groth16Vector.proof(), inputs);
        }
    }

    function test_InputCountMustFit() public {
        uint256[3] memory lengths = [uint256(0), 3, 5];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongInputCount.selector, 4, lengths[i]));
            verifier.verify(Groth16Vector.proof(), new uint256[](lengths[i]));
        }
    }

    /// @dev With any amount of gas too small, the call fails; it never returns.
    function testFuzz_TooLittleGasNeverVerifies(uint256 gasLimit) public view {
        bytes memory call = abi.encodeCall(verifier.verify, (Groth16Vector.proof(), Groth16Vector.inputs()));
        (bool ok,) = address(verifier).staticcall{gas: bound(gasLimit, 0, 200_000)}(call);
        assertTrue(!ok, "a failure");
    }

    function test_ProofLengthMustFit() public {
        uint256[4] memory lengths = [uint256(0), 7, 9, 12];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Groth16Verifier.WrongProofLength.selector, 8, lengths[i]));
            verifier.verify(new uint256[](lengths[i]), Groth16Vector.inputs());
        }
    }

    function testFuzz_RandomProofDoesNotVerify(uint256[8] memory words) public view {
        uint256[] memory proof = new uint256[](8);
        for (uint256 i = 0; i < 8; ++i) {
            proof[i] = words[i];
        }
        bytes memory call = abi.encodeCall(verifier.verify, (proof, Groth16Vector.inputs()));
        (bool ok,) = address(verifier).staticcall{gas: 1_000_000}(call);
        assertTrue(!ok, "a failure");
    }

    function testFuzz_RandomInputsDoNotVerify(uint256[4] memory words) public view {
        uint256[] memory inputs = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            inputs[i] = words[i] % R;
        }
        bytes memory call = abi.encodeCall(verifier.verify, (Groth16Vector.proof(), inputs));
        (bool ok,) = address(verifier).staticcall{gas: 1_000_000}(call);
        assertTrue(!ok, "a failure");
    }
}
