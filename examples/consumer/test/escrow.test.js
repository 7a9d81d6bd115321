import { network } from 'hardhat'
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { parseEther } from 'viem'

const { viem } = await network.create()
const client = await viem.getPublicClient()
const [payer, payee] = await viem.getWalletClients()
const DEADLINE = 10_000_000_000n

describe('Escrow', () => {
  let rollup, escrow

  beforeEach(async () => {
    rollup = await viem.deployContract('RollupStub')
    const terms = [rollup.address, payee.account.address, 2n, 42n, DEADLINE]
    escrow = await viem.deployContract('Escrow', terms, { value: parseEther('1') })
  })

  const balance = (wallet) => client.getBalance({ address: wallet.account.address })
  const refuses = (call, error) => assert.rejects(call, (thrown) => thrown.message.includes(`${error}(`))

  it('pays the payee when the batch is final', async () => {
    await rollup.write.finalize([7n])
    await refuses(escrow.write.release(), 'NotYet')
    await rollup.write.finalize([42n])
    const before = await balance(payee)
    await escrow.write.release()
    assert.equal(await balance(payee), before + parseEther('1'))
    await refuses(escrow.write.release(), 'SettledAlready')
  })

  it('pays the payer back when the root is another', async () => {
    await rollup.write.finalize([7n])
    await rollup.write.finalize([43n])
    await refuses(escrow.write.release(), 'DecidedOtherwise')
    await escrow.write.refund({ account: payee.account })
    const [event] = await escrow.getEvents.Settled()
    assert.equal(event.args.to.toLowerCase(), payer.account.address)
    assert.equal(event.args.amount, parseEther('1'))
  })

  it('keeps the money before the deadline while the batch is not final', async () => {
    await refuses(escrow.write.refund(), 'NotYet')
    assert.equal(await client.getBalance({ address: escrow.address }), parseEther('1'))
  })
})
