// Regenerates package-lock.json: `node relock.mjs`.
//
// Two things npm does not do by itself. The lock names no registry host, so that it works behind any mirror (npm
// finds the address by name and version, and checks the integrity hash). And it lists the Foundry binaries of every
// platform: npm leaves out optional packages it could not look up, and `npm ci` then refuses the lock everywhere.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

const LOCK = 'package-lock.json'
const CPU = { amd64: 'x64', arm64: 'arm64' }

rmSync(LOCK, { force: true })
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-progress'], { stdio: 'inherit' })

const lock = JSON.parse(readFileSync(LOCK, 'utf8'))
for (const entry of Object.values(lock.packages)) delete entry.resolved
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = name.match(/^@foundry-rs\/\w+-(\w+)-(\w+)$/)
    if (!platform) continue
    const [, os, cpu] = platform
    lock.packages[`node_modules/${name}`] ??= { version, cpu: [CPU[cpu]], optional: true, os: [os] }
  }
}
const root = lock.packages['']
delete lock.packages['']
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
lock.packages = { '': root, ...sorted }
writeFileSync(LOCK, JSON.stringify(lock, null, 2) + '\n')
