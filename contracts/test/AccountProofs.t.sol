// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccountProofs} from "../src/AccountProofs.sol";
import {AccountVector} from "./AccountVector.sol";
import {Hashers} from "./Hashers.sol";
import {Test} from "./Test.sol";

/// @dev A hasher that takes every word, as a careless one would.
contract Silent {
    fallback() external {}
}

contract AccountProofsTest is Test {
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    AccountProofs private proofs;
    address private node;
    address private leaf;

    function setUp() public {
        (node, leaf) = (Hashers.node(), Hashers.leaf());
        proofs = new AccountProofs(node, leaf);
    }

    function _is(uint256 root, uint32 index, uint256[8] memory words, uint256[48] memory siblings)
        private
        view
        returns (bool)
    {
        return proofs.isAccount(root, index, words, siblings);
    }

    function test_TheProofHolds() public view {
        assertTrue(
            _is(AccountVector.ROOT, AccountVector.INDEX, AccountVector.leaf(), AccountVector.siblings()), "it holds"
        );
    }

    function test_ItSaysWhatItCalls() public view {
        assertTrue(proofs.NODE_HASHER() == node && proofs.LEAF_HASHER() == leaf, "hashers");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnotherRoot(uint256 root) public view {
        if (root == AccountVector.ROOT) ++root;
        assertTrue(!_is(root, AccountVector.INDEX, AccountVector.leaf(), AccountVector.siblings()), "root");
    }

    function test_TheRootAndR() public view {
        uint256 root = AccountVector.ROOT + R;
        assertTrue(!_is(root, AccountVector.INDEX, AccountVector.leaf(), AccountVector.siblings()), "root");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnotherIndex(uint32 index) public view {
        if (index == AccountVector.INDEX) index ^= 1;
        assertTrue(!_is(AccountVector.ROOT, index, AccountVector.leaf(), AccountVector.siblings()), "index");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnotherWordOfTheLeaf(uint256 place, uint256 word) public view {
        uint256[8] memory words = AccountVector.leaf();
        place = bound(place, 0, 7);
        if (words[place] == word) ++word;
        words[place] = word;
        assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, words, AccountVector.siblings()), "leaf");
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnotherSibling(uint256 place, uint256 word) public view {
        uint256[48] memory siblings = AccountVector.siblings();
        place = bound(place, 0, 47);
        if (siblings[place] == word) ++word;
        siblings[place] = word;
        assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, AccountVector.leaf(), siblings), "sibling");
    }

    /// @dev The same field element once more: funds + r would pay another balance.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AWordAndR(uint256 place, uint256 times) public view {
        (uint256[8] memory words, uint256[48] memory siblings) = (AccountVector.leaf(), AccountVector.siblings());
        place = bound(place, 0, 55);
        uint256 word = place < 8 ? words[place] : siblings[place - 8];
        word += R * bound(times, 1, (type(uint256).max - word) / R);
        if (place < 8) words[place] = word;
        else siblings[place - 8] = word;
        assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, words, siblings), "not below r");
    }

    /// @dev Every word of the proof, and every bit of the index.
    function test_EverythingCounts() public view {
        (uint256[8] memory words, uint256[48] memory siblings) = (AccountVector.leaf(), AccountVector.siblings());
        for (uint256 place = 0; place < 56; ++place) {
            uint256 word = place < 8 ? words[place] : siblings[place - 8];
            for (uint256 change = 0; change < 3; ++change) {
                uint256 other = change == 0 ? word ^ 1 : change == 1 ? word + R : type(uint256).max;
                if (place < 8) words[place] = other;
                else siblings[place - 8] = other;
                assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, words, siblings), "a word");
            }
            if (place < 8) words[place] = word;
            else siblings[place - 8] = word;
        }
        for (uint256 bit = 0; bit < 32; ++bit) {
            assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX ^ uint32(1 << bit), words, siblings), "a bit");
        }
        assertTrue(_is(AccountVector.ROOT, AccountVector.INDEX, words, siblings), "unchanged");
    }

    /// @dev Leaf and siblings 0 have a root as well, and there is nobody.
    function test_AnEmptyLeafIsNoAccount() public view {
        uint256[48] memory siblings = AccountVector.siblings();
        uint256[8] memory words;
        assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, words, siblings), "empty");
        words = AccountVector.leaf();
        words[0] = 0;
        assertTrue(!_is(AccountVector.ROOT, AccountVector.INDEX, words, siblings), "no key");
    }

    /// @dev However much gas there is: true, false, or out of gas, but true only with a proof that holds.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_LittleGas(uint256 available) public view {
        available = bound(available, 30_000, 450_000);
        uint256[8] memory words = AccountVector.leaf();
        words[3] += 1;
        uint256[48] memory siblings = AccountVector.siblings();
        try proofs.isAccount{gas: available}(AccountVector.ROOT, AccountVector.INDEX, words, siblings) returns (
            bool found
        ) {
            assertTrue(!found, "a wrong proof with little gas");
        } catch {}
    }

    /// @dev Calls that succeed without an answer leave what was in memory before.
    function test_AHasherWithoutAnAnswer() public {
        address silent = address(new Silent());
        AccountProofs careless = new AccountProofs(silent, silent);
        uint256[8] memory words;
        words[0] = 1;
        uint256[48] memory siblings;
        assertTrue(!careless.isAccount(0, 0, words, siblings), "no answer");
        assertTrue(!careless.isAccount(1, 0, words, siblings), "no answer");
    }

    function test_AHasherWithoutCode() public {
        vm.expectRevert(abi.encodeWithSelector(AccountProofs.NoHasher.selector, address(1)));
        new AccountProofs(address(1), leaf);
        vm.expectRevert(abi.encodeWithSelector(AccountProofs.NoHasher.selector, address(2)));
        new AccountProofs(node, address(2));
    }

    function test_GasOfAProof() public view {
        assertTrue(
            _is(AccountVector.ROOT, AccountVector.INDEX, AccountVector.leaf(), AccountVector.siblings()), "it holds"
        );
    }
}
