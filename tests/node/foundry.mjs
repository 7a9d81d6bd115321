// Runs a Foundry program with its exit code: `node foundry.mjs forge test`.
//
// The npm packages' own launchers exit with 0 whatever the program did, so a failing test would pass.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const [name, ...args] = process.argv.slice(2)
const cpu = { x64: 'amd64', arm64: 'arm64' }[process.arch]
const suffix = process.platform === 'win32' ? '.exe' : ''
const program = createRequire(import.meta.url).resolve(
  `@foundry-rs/${name}-${process.platform}-${cpu}/bin/${name}${suffix}`)

const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
if (error) console.error(error.message)
process.exit(status ?? 1)
