import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { type BootstrapPeer, type BootstrapPeerInit, createBootstrapPeer } from '../../src/index.ts'
import { anyPeerId } from '../support/known-peers.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { newFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

describe('the list in peers.json', () => {
  let alice: Libp2p
  let bob: Libp2p
  let directory: string
  let peers: string
  let bootstrap: BootstrapPeer | undefined

  before(async () => {
    ;[alice, bob] = await Promise.all([startPeer(), startPeer()])
  })

  after(async () => {
    await Promise.all([alice.stop(), bob.stop()])
  })

  beforeEach(async () => {
    directory = await newFolder()
    peers = join(directory, 'peers.json')
  })

  afterEach(async () => {
    await bootstrap?.stop()
    await rm(directory, { recursive: true })
  })

  async function start(init: BootstrapPeerInit = {}): Promise<string> {
    await bootstrap?.stop()
    bootstrap = createBootstrapPeer({ file: peers, ...init })
    await bootstrap.start()
    return bootstrap.multiaddrs[0]!
  }

  it('is handed out again after a restart, at once, without a new proof', async () => {
    const mine = await ask(alice, await start(), { address: addressOf(alice), network: 'chain' })
    assert.equal(mine.length, 1)
    assert.deepEqual(await ask(bob, await start(), { network: 'chain' }), mine)
  })

  it('loses what was taken back for good', async () => {
    const at = await start()
    await ask(alice, at, { address: addressOf(alice) })
    await ask(alice, at, { ttl: 0 })
    assert.deepEqual(await ask(bob, await start(), {}), [])
  })

  it("begins with the operator's entries once they have answered, and keeps them as they were written", async () => {
    const entry = { address: `${addressOf(alice)}/p2p/${alice.peerId}`, note: 'the first' }
    await writeFile(peers, JSON.stringify([entry]))
    const at = await start()
    await listed(async () => (await ask(bob, at, {})).length === 1)
    assert.deepEqual(await ask(bob, at, {}), [{ address: entry.address }])
    await bootstrap!.stop()
    assert.deepEqual(JSON.parse(await readFile(peers, 'utf8')), [entry])
  })

  it("finds out who answers at the original's entries, and hands them out then", async () => {
    const port = addressOf(alice).split('/').at(-1)
    const original = [{ address: `127.0.0.1:${port}` }, { address: '127.0.0.1:1' }, { address: 'no.such.host:3000' }]
    await writeFile(peers, JSON.stringify(original))
    const at = await start()
    await listed(async () => (await ask(bob, at, {})).length === 1)
    assert.deepEqual(await ask(bob, at, {}), [{ address: `${addressOf(alice)}/p2p/${alice.peerId}` }])
    await bootstrap!.stop()
    assert.deepEqual(JSON.parse(await readFile(peers, 'utf8')), original)
  })

  it("hands nobody an operator's entry where another peer answers", async () => {
    const planted = { address: `${addressOf(alice)}/p2p/${anyPeerId()}` }
    const fine = { address: `${addressOf(bob)}/p2p/${bob.peerId}` }
    await writeFile(peers, JSON.stringify([planted, fine]))
    const at = await start()
    await listed(async () => (await ask(alice, at, {})).length > 0)
    assert.deepEqual(await ask(alice, at, {}), [fine])
  })

  it("lets no peer change the operator's entry about it", async () => {
    const entry = { address: `${addressOf(alice)}/p2p/${alice.peerId}` }
    await writeFile(peers, JSON.stringify([entry]))
    const at = await start()
    await listed(async () => (await ask(bob, at, {})).length === 1)
    const removed = await ask(alice, at, { address: entry.address, ttl: 0, explain: true })
    assert.equal(removed.registrations[0].code, 'static')
    const shortened = await ask(alice, at, { address: entry.address, ttl: 60, explain: true })
    assert.deepEqual(
      shortened.registrations.map(({ status, expiresIn }: Record<string, unknown>) => [status, expiresIn]),
      [['listed', null]],
    )
    await ask(alice, at, { ttl: 0 })
    assert.deepEqual(await ask(bob, at, {}), [entry])
    await bootstrap!.stop()
    assert.deepEqual(JSON.parse(await readFile(peers, 'utf8')), [entry])
  })

  it('may be what Go writes for no peers', async () => {
    await writeFile(peers, 'null')
    assert.deepEqual(await ask(bob, await start(), {}), [])
  })

  it('takes in what the operator wrote while the node ran', async () => {
    const at = await start()
    await ask(alice, at, { address: addressOf(alice) })
    const entry = { address: `${addressOf(bob)}/p2p/${bob.peerId}` }
    await writeFile(peers, JSON.stringify([entry]))
    await bootstrap!.reload()
    await listed(async () => (await ask(alice, at, {})).length === 2)
  })
})

/** Asks again and again, but not so often that the rate limit answers. */
function listed(condition: () => Promise<boolean>): Promise<void> {
  return until(condition, 'it is in the answer', 20_000, 50)
}
