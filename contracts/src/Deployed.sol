// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// What of OpenZeppelin's library a rollup is deployed with as it is, so that it is compiled with the rest.
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
