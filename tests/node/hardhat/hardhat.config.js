// The chain of tests/chains.py: anvil's chain id and hard fork, and a transaction that fails is mined, as elsewhere.
export default {
  networks: { node: { type: 'edr-simulated', chainId: 31337, hardfork: 'prague', throwOnTransactionFailures: false } },
  paths: { artifacts: 'node_modules/.hardhat/artifacts', cache: 'node_modules/.hardhat/cache' },
}
