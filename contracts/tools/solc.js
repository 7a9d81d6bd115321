#!/usr/bin/env node
// Stands in for a native solc in front of npm's `solc` (tests/node): `--version` and `--standard-json [file]`,
// which is all that forge asks for.
const fs = require('fs')
const path = require('path')

const solc = require(path.join(__dirname, '../../tests/node/node_modules/solc'))

/** Reads an import from below the working folder or `--base-path`. */
function readSource(name, base) {
  const file = path.resolve(base, name)
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, 'utf8') } : { error: `File not found: ${name}` }
}

const argv = process.argv.slice(2)
const after = (flag) => (argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined)

if (argv.includes('--version')) {
  // forge looks for a native platform's name behind the version.
  console.log('solc, the solidity compiler commandline interface')
  console.log(`Version: ${solc.version().replace('Emscripten.clang', 'Linux.g++')}`)
} else if (argv.includes('--standard-json')) {
  const file = after('--standard-json')
  const input = fs.readFileSync(file && fs.existsSync(file) ? file : 0, 'utf8')
  process.stdout.write(solc.compile(input, { import: (name) => readSource(name, after('--base-path') ?? '.') }))
} else {
  console.error(`solc.js takes --version or --standard-json, not: ${argv.join(' ')}`)
  process.exit(1)
}
