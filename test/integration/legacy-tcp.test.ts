import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Libp2p } from 'libp2p'
import { MAX_REQUEST_BYTES } from '../../src/frontends/legacy-tcp.ts'
import { BootstrapPeer, type BootstrapPeerInit } from '../../src/node.ts'
import { LEGACY_TTL_MS, MAX_LEGACY_PER_IP } from '../../src/point/legacy-peers.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

const folder = await temporaryFolder({ after })

describe('the wire of the original', () => {
  let now = Date.now()
  let node: BootstrapPeer
  let asker: Libp2p
  const servers: Server[] = []

  before(async () => {
    node = await start({})
    asker = await startPeer()
  })

  after(async () => {
    await Promise.all([node.stop(), asker.stop()])
    for (const server of servers) {
      server.close()
    }
  })

  async function start(init: BootstrapPeerInit): Promise<BootstrapPeer> {
    const started = new BootstrapPeer({ legacyTcp: 0, file: join(folder, 'peers.json'), ...init }, { clock: () => now })
    await started.start()
    return started
  }

  /** Where something accepts connections. */
  async function listener(): Promise<{ readonly address: string; readonly server: Server }> {
    const server = createServer((socket) => socket.destroy())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server }
  }

  /** As the original's client in Go: connects, writes, closes. Resolves to what came back once it is closed. */
  async function send(text: string, { from = '127.0.0.1', close = true } = {}): Promise<string> {
    const socket = connect({ port: node.status.legacyTcpPort!, host: '127.0.0.1', localAddress: from })
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    if (close) {
      socket.end(text)
    } else {
      socket.write(text)
    }
    await closed
    return answer
  }

  async function listed(request: object = {}): Promise<string[]> {
    // Asked again and again it would be refused, and hung up on: one may ask five times a second.
    now += 200
    await delay(50)
    const records = await ask(asker, node.multiaddrs[0]!, { legacy: true, ...request })
    return records.map((each: { address: string }) => each.address)
  }

  const isListed = (address: string) => async () => (await listed()).includes(address)

  it('takes an address, saves it, closes without an answer, and tells only those who ask for such', async () => {
    const { address } = await listener()
    assert.equal(await send(`{"address":"${address}"}\n`), '')
    await until(isListed(address), 'it is listed')
    assert.deepEqual(await ask(asker, node.multiaddrs[0]!, { legacy: true }), [{ address, legacy: true }])
    assert.deepEqual(await ask(asker, node.multiaddrs[0]!, {}), [])
    assert.deepEqual(await listed({ network: 'another' }), [])
    const saved = async () => JSON.parse(await readFile(join(folder, 'peers.json'), 'utf8').catch(() => '[]'))
    await until(async () => (await saved()).length > 0, 'it is saved')
    const [entry] = await saved()
    assert.equal(entry.address, address)
    assert.equal(entry.legacy, true)
    const left = Date.parse(entry.expiresAt) - now
    assert.ok(left > 0 && left <= LEGACY_TTL_MS, `it ends in ${left} ms`)
  })

  it('is closed as soon as the object is whole, whether or not the client closes', async () => {
    const { address } = await listener()
    assert.equal(await send(`{"address":"${address}"}`, { close: false }), '')
    await until(isListed(address), 'it is listed')
  })

  it('lists an address once, however often it comes', async () => {
    const { address } = await listener()
    await send(`{"address":"${address}"}\n`)
    await until(isListed(address), 'it is listed')
    await send(`{"address":"${address}"}\n{"address":"127.0.0.1:1"}`)
    await send(`{"address":":${address.split(':')[1]}"}\n`)
    assert.equal((await listed()).filter((each) => each === address).length, 1)
  })

  it('outlives a restart, is never taken for a static entry, and ends', async () => {
    const { address } = await listener()
    await send(`{"address":"${address}"}\n`)
    await until(isListed(address), 'it is listed')
    await node.stop()
    node = await start({})
    assert.equal(node.status.staticCount, 0)
    await until(isListed(address), 'it is connected to again')
    now += LEGACY_TTL_MS
    await until(async () => (await listed()).length === 0, 'all have ended')
  })

  it('is given up when nothing listens there any more', async () => {
    const { address, server } = await listener()
    await send(`{"address":"${address}"}\n`)
    await until(isListed(address), 'it is listed')
    server.close()
    now += 15 * 60_000
    await until(async () => !(await isListed(address)()), 'it is out of the answers')
  })

  const refused: ReadonlyArray<readonly [name: string, text: (address: string) => string, from?: string]> = [
    ['nothing listens there', () => '{"address":"127.0.0.1:65001"}'],
    ["another's IP", (address) => `{"address":"${address}"}`, '127.0.0.2'],
    ['a public IP of nobody here', () => '{"address":"8.8.8.8:4000"}'],
    ['a name', () => '{"address":"localhost:3000"}'],
    ['port 25', () => '{"address":"127.0.0.1:25"}'],
    ['no JSON', () => 'hello\n'],
    ['no object', () => '["127.0.0.1:3000"]\n'],
    ['no address', () => '{"addr":"127.0.0.1:3000"}\n'],
    ['an address that is no text', () => '{"address":3000}\n'],
    ['more bytes than it may have', (address) => `{"address":"${address}","x":"${'x'.repeat(MAX_REQUEST_BYTES)}"}`],
    ['nothing', () => ''],
  ]
  for (const [name, text, from] of refused) {
    it(`does not list: ${name}`, async () => {
      const { address } = await listener()
      const witness = await listener()
      assert.equal(await send(text(address), from === undefined ? {} : { from }), '')
      now += LEGACY_TTL_MS
      await send(`{"address":"${witness.address}"}`)
      await until(isListed(witness.address), 'the one behind it is listed')
      assert.deepEqual(await listed(), [witness.address])
    })
  }

  it(`takes ${MAX_LEGACY_PER_IP} of one IP`, async () => {
    now += LEGACY_TTL_MS
    await until(async () => (await listed()).length === 0, 'all have ended')
    for (let n = 0; n < MAX_LEGACY_PER_IP; n++) {
      const { address } = await listener()
      await send(`{"address":"${address}"}`)
      await until(isListed(address), 'it is listed')
    }
    const { address } = await listener()
    await send(`{"address":"${address}"}`)
    const own = addressOf(asker)
    await ask(asker, node.multiaddrs[0]!, { address: own })
    assert.equal((await listed()).length, 1 + MAX_LEGACY_PER_IP)
    assert.ok(!(await listed()).includes(address))
  })
})
