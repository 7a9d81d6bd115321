// Runs Hardhat under the node that it needs, whichever runs this: `node hardhat.mjs node --port 8545`.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
