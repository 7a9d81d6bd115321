// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchReader} from "../../src/BatchReader.sol";
import {Batches} from "../../src/Batches.sol";
import {Claims} from "../../src/Claims.sol";
import {Escape} from "../../src/Escape.sol";
import {IAccountProofs} from "../../src/IAccountProofs.sol";
import {IVerifierRouter} from "../../src/IVerifierRouter.sol";
import {Managed} from "../../src/Managed.sol";
import {OptimisticFallback} from "../../src/OptimisticFallback.sol";
import {Parameters} from "../../src/Parameters.sol";
import {Queue} from "../../src/Queue.sol";
import {IAuthority} from "@openzeppelin/contracts/access/manager/IAuthority.sol";

/// @dev Everything around a rollup that is not the rollup: a router that takes every proof, a reader that says of any data
/// what it was told, and account proofs that all hold. What the rollup pays has to be right whatever these say.
contract World {
    bool public isFrozen_;
    BatchReader.Reading private _reading;

    function tell(BatchReader.Reading calldata reading, bool frozen) external {
        (_reading, isFrozen_) = (reading, frozen);
    }

    function isFrozen(bytes4) external view returns (bool) {
        return isFrozen_;
    }

    function verify(bytes4, uint256[] calldata, uint256[] calldata) external pure {}

    function isAccount(uint256, uint32, uint256[8] calldata, uint256[48] calldata) external pure returns (bool) {
        return true;
    }

    function readNew(bytes calldata, BatchReader.Context calldata, uint256, bytes calldata, uint256, uint256, uint256)
        external
        view
        returns (BatchReader.Reading memory)
    {
        return _reading;
    }

    function read(bytes calldata, BatchReader.Context calldata, uint256)
        external
        view
        returns (BatchReader.Reading memory)
    {
        return _reading;
    }
}

/// @dev A rollup whose state can be set.
contract Harness is Escape {
    constructor(World world, Parameters memory p)
        payable
        Managed(IAuthority(address(0)))
        Queue(p)
        Claims(p)
        Batches(BatchReader(address(world)), IVerifierRouter(address(world)), p)
        OptimisticFallback(p)
        Escape(IAccountProofs(address(world)), p)
    {}

    function setDebts(address to, uint256 due, uint256 held) external {
        (owed[to], holdings) = (due, held);
    }

    function setFees(address to, uint256 due) external {
        ethOwed[to] = due;
    }

    function setFrozen(bool frozen_) external {
        frozen = frozen_;
    }

    function setClocks(uint40 pendingSince_, uint40 disputedSince_) external {
        (pendingSince, disputedSince) = (pendingSince_, disputedSince_);
    }

    function setQueue(uint64 number, Item calldata item_) external {
        (queuedItems, _items[number]) = (number, item_);
    }

    /// @dev Batch `number` is the last one of all, and final if that is said.
    function setBatch(uint64 number, Batch calldata batch_, bool final_) external {
        _batches[number] = batch_;
        (committedBatches, provenBatches) = (number, number);
        finalizedBatches = final_ ? number : number - 1;
    }

    function setFallbackOpen() external {
        fallbackOpen = true;
    }
}
