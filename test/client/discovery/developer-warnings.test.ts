import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'
import type { AbortOptions, Connection, Logger } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { ServiceFactoryMap } from 'libp2p'
import type { RegistrationOutcome } from '../../../src/client/bootstrap-answer.ts'
import { BootstrapError } from '../../../src/client/bootstrap-error.ts'
import type { Connect } from '../../../src/client/discovery/bootstraps-init.ts'
import { DeveloperWarnings } from '../../../src/client/discovery/developer-warnings.ts'
import { Discovery } from '../../../src/client/discovery/discovery.ts'
import type { DiscoveryEvent } from '../../../src/client/discovery/discovery-events.ts'
import type { BootstrapDiscoveryInit } from '../../../src/client/discovery/discovery-init.ts'
import { peerKeeper } from '../../../src/client/keeper/peer-keeper.ts'
import { startPeer } from '../../support/peers.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { until } from '../../support/wait.ts'

const A = '12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
const B = '12D3KooWGC6TvWhfagifX6kvxFBrN3ChFvXLMgjUUJtWPWXDXyGn'
const PEER = '12D3KooWAdNWVaJqMrmCNsuRJpp5BBKFW4pSpNsLJXWuHSJyumBo'

const MINUTE = 60_000

function begin({ bootstraps = [A], peers = [] as string[], hasKeeper = false } = {}) {
  const time = virtualTime()
  const said: string[] = []
  const world = { bootstraps: new Set(bootstraps), peers, looks: 0, unregistrable: undefined as string | undefined }
  const connections = () => {
    world.looks++
    return world.peers.map((id) => ({ remotePeer: peerIdFromString(id) }) as Connection)
  }
  const log = Object.assign(() => {}, {
    error: (format: string, text: string) => void said.push(format.replace('%s', text)),
    trace: () => {},
    enabled: false,
    newScope: () => log,
  })
  const warnings = new DeveloperWarnings({
    network: 'mychain',
    bootstraps: world.bootstraps,
    connectionManager: { getConnections: connections },
    hasKeeper: () => hasKeeper,
    unregistrable: () => world.unregistrable,
    logger: { forComponent: () => log },
    scheduler: time,
  })
  warnings.start()
  const tell = (...events: DiscoveryEvent[]) => {
    for (const event of events) {
      warnings.take(event)
    }
  }
  return { time, said, world, warnings, tell }
}

function answer(bootstrap: string, { peers = 1, listed = true } = {}): DiscoveryEvent {
  return { type: 'answer', bootstrap, peers, listed, observed: undefined }
}

function failure(bootstrap: string, code = 'unreachable', message = 'nothing answers there'): DiscoveryEvent {
  return { type: 'failure', bootstrap, error: new BootstrapError(code, bootstrap, message), retryIn: 2000 }
}

function outcome(bootstrap: string, status: RegistrationOutcome['status'], code = 'dial_refused'): DiscoveryEvent {
  const address = '/ip4/203.0.113.9/tcp/4001'
  return {
    type: 'outcomes',
    bootstrap,
    registrations: [{ address, status, code, message: 'open the port', expiresIn: null }],
  }
}

describe('an application that takes no events', () => {
  it('is told nothing while all is well', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    tell(answer(A), outcome(A, 'listed'))
    await time.advance(60 * MINUTE)
    assert.deepEqual(said, [])
  })

  it('is told once that no bootstrap answers, with each reason', async () => {
    const { time, said, tell } = begin({ bootstraps: [A, B], peers: [PEER] })
    tell(failure(A), failure(B, 'wrong_peer', 'another peer answers there'))
    await time.advance(5000)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^no bootstrap answers\. /)
    assert.ok(said[0]!.includes(`${A}: nothing answers there (unreachable)`))
    assert.ok(said[0]!.includes(`${B}: another peer answers there (wrong_peer)`))
    for (let round = 0; round < 100; round++) {
      await time.advance(MINUTE)
      tell(failure(A), failure(B))
    }
    assert.equal(said.length, 1)
  })

  it('is told again when the bootstraps had been back in between', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    tell(failure(A))
    await time.advance(MINUTE)
    tell(answer(A))
    await time.advance(MINUTE)
    tell(failure(A), failure(A))
    await time.advance(MINUTE)
    assert.equal(said.length, 2)
  })

  it('is not told of one that misses a single question, or that another one stands in for', async () => {
    const { time, said, tell } = begin({ bootstraps: [A, B], peers: [PEER] })
    tell(failure(A), failure(A))
    await time.advance(MINUTE)
    tell(answer(B), failure(B))
    await time.advance(MINUTE)
    assert.deepEqual(said, [])
  })

  it('is not told that none answers when only the registration fails', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    for (let round = 0; round < 10; round++) {
      tell(answer(A), failure(A, 'rate_limited', 'later'))
      await time.advance(MINUTE)
    }
    assert.deepEqual(said, [])
  })

  it('hears nothing of a bootstrap that is asked no more', async () => {
    const { time, said, tell, world } = begin({ peers: [PEER] })
    tell(failure(A))
    world.bootstraps.clear()
    world.bootstraps.add(B)
    await time.advance(MINUTE)
    assert.deepEqual(said, [], 'the failure of the old one says nothing of the new one')
    world.bootstraps.add(A)
    tell(outcome(A, 'listed'))
    world.bootstraps.delete(A)
    tell(outcome(B, 'refused'))
    await time.advance(MINUTE)
    assert.equal(said.length, 1, 'that the old one lists it is no help now')
  })

  it('is told that there is no bootstrap, and why', async () => {
    const { time, said, tell } = begin({ bootstraps: [], peers: [PEER] })
    await time.advance(MINUTE)
    assert.deepEqual(said, [], 'a cache may be all there is')
    tell({ type: 'warning', message: '/dnsaddr/boot.example could not be looked up: no such name' })
    await time.advance(MINUTE)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^there is no bootstrap to ask\. \/dnsaddr\/boot\.example could not be looked up/)
  })

  it('is told once that the node has nothing to register, and again after it had', async () => {
    const { time, said, world } = begin({ peers: [PEER] })
    world.unregistrable = 'It has /p2p-circuit'
    await time.advance(60 * MINUTE)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^this node listens, but has no address to register, .* It has \/p2p-circuit\. Listen at /)
    world.unregistrable = undefined
    await time.advance(MINUTE)
    world.unregistrable = 'It has /p2p-circuit'
    await time.advance(MINUTE)
    assert.equal(said.length, 2)
  })

  it('is told once that the node is not listed, and why', async () => {
    const { time, said, tell } = begin({ bootstraps: [A, B], peers: [PEER] })
    tell(answer(A, { listed: false }), outcome(A, 'refused'), answer(B, { listed: false }), outcome(B, 'refused'))
    await time.advance(5000)
    assert.equal(said.length, 1)
    assert.match(
      said[0]!,
      /^no bootstrap lists this node.* \/ip4\/203\.0\.113\.9\/tcp\/4001 is refused: open the port \(d/,
    )
    assert.equal(said[0]!.split('open the port').length, 2, 'the same reason once')
    tell(answer(A, { listed: false }), outcome(A, 'refused'))
    await time.advance(60 * MINUTE)
    assert.equal(said.length, 1)
    tell(outcome(A, 'listed'))
    tell(answer(A, { listed: false }), answer(B, { listed: false }), outcome(A, 'refused'))
    await time.advance(5000)
    assert.equal(said.length, 2)
  })

  it('is not told of a refusal when another bootstrap lists the node', async () => {
    const { time, said, tell } = begin({ bootstraps: [A, B], peers: [PEER] })
    tell(outcome(A, 'refused'), outcome(B, 'listed'))
    await time.advance(60 * MINUTE)
    assert.deepEqual(said, [])
  })

  it('is not told of a dial-back that is decided in time', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    tell(answer(A, { listed: false }), outcome(A, 'pending', 'dial_busy'))
    await time.advance(20_000)
    assert.deepEqual(said, [])
    tell(outcome(A, 'listed'))
    await time.advance(MINUTE)
    assert.deepEqual(said, [])
    tell(answer(A, { listed: false }), outcome(A, 'pending', 'dial_busy'))
    await time.advance(MINUTE)
    assert.equal(said.length, 1)
    assert.match(said[0]!, /is pending/)
  })

  it('is not told of a node that a bootstrap forgot and is about to list again', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    tell(outcome(A, 'listed'), answer(A, { listed: false }))
    await time.advance(MINUTE)
    assert.deepEqual(said, [])
  })

  const lonely: ReadonlyArray<readonly [what: string, events: readonly DiscoveryEvent[], says: RegExp]> = [
    [
      'with peers that are known',
      [answer(A, { peers: 7 })],
      /Known peers: 7\. libp2p dials none of them.*peerKeeper\(\)/,
    ],
    ['with peers of the cache', [{ type: 'cache', peers: 3 }], /Known peers: 3/],
    ['alone in its network', [answer(A, { peers: 0 })], /no other peer of the network "mychain"/],
    ['that was never answered', [], /No bootstrap has answered/],
  ]
  for (const [what, events, says] of lonely) {
    it(`is told once that a node ${what} has no peers after 30 s`, async () => {
      const { time, said, tell } = begin({ peers: [A] })
      tell(...events)
      await time.advance(29_999)
      assert.deepEqual(said, [])
      await time.advance(1)
      assert.equal(said.length, 1)
      assert.match(said[0]!, /^no peer has been connected for 30 s\. /)
      assert.match(said[0]!, says)
      await time.advance(24 * 60 * MINUTE)
      assert.equal(said.length, 1)
    })
  }

  it('is told that peers could not be reached when the node has a keeper', async () => {
    const { time, said, tell } = begin({ hasKeeper: true })
    tell(answer(A, { peers: 7 }))
    await time.advance(30_000)
    assert.match(said[0]!, /Known peers: 7\. None of them could be reached/)
  })

  it('is told again when a node had peers and has lost them for 30 s', async () => {
    const { time, said, world } = begin()
    await time.advance(MINUTE)
    world.peers = [PEER]
    await time.advance(MINUTE)
    world.peers = []
    await time.advance(25_000)
    assert.equal(said.length, 1)
    await time.advance(10_000)
    assert.equal(said.length, 2)
  })

  it('is told nothing after the stop', async () => {
    const { time, said, tell, warnings, world } = begin()
    tell(failure(A))
    warnings.stop()
    const { looks } = world
    await time.advance(60 * MINUTE)
    assert.equal(world.looks, looks, 'it looks at nothing any more')
    tell({ type: 'unregistered', bootstrap: A, error: undefined })
    assert.deepEqual(said, [])
  })

  it('is told in lines that cannot move the cursor of its terminal', async () => {
    const { time, said, tell } = begin({ peers: [PEER] })
    tell(failure(A, 'c\u001b[2J', 'm\n\u202e'))
    await time.advance(5000)
    assert.match(said[0]!, /m\\u\{a\}\\u\{202e\} \(c\\u\{1b\}\[2J\)/)
    tell(outcome(A, 'refused', 'dial\u0007'))
    await time.advance(5000)
    assert.match(said[1]!, /dial\\u\{7\}/)
  })
})

describe('the warnings of a node', () => {
  it('are on stderr though the environment has no DEBUG', async (t) => {
    const { DEBUG: _, ...env } = process.env
    const program = fileURLToPath(import.meta.resolve('./lonely-node.ts'))
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'inherit', 'pipe'] })
    t.after(() => child.kill('SIGKILL'))
    const signal = AbortSignal.timeout(30_000)
    const [line] = await once(createInterface({ input: child.stderr }), 'line', { signal })
    assert.match(line, /bootstrap-peer:discovery:error no bootstrap answers\. 12D3KooW.*\(unreachable\)/)
    assert.match(line, /pass onEvent to get every event instead/)
  })

  async function lonelyNode(
    t: TestContext,
    init: Partial<BootstrapDiscoveryInit> = {},
    services: ServiceFactoryMap = {},
    { listen = ['/ip4/127.0.0.1/tcp/0'], connect }: { listen?: readonly string[]; connect?: Connect } = {},
  ) {
    const time = virtualTime()
    const said: string[] = []
    const bootstraps = [`/ip4/127.0.0.1/tcp/1/p2p/${A}`]
    const node = await startPeer({
      addresses: { listen: [...listen] },
      logger: {
        forComponent: (name) => frozenLogger((text) => name === 'bootstrap-peer:discovery' && said.push(text)),
      },
      peerDiscovery: [(components) => new Discovery(components, { bootstraps, scheduler: time, ...init }, connect)],
      services,
    })
    t.after(() => node.stop())
    const minutes = async (count: number) => {
      for (let second = 0; second < count * 60; second++) {
        await time.advance(1000)
      }
    }
    return { said, node, minutes }
  }

  it("are the application's own logger's to show, and end with the node", async (t) => {
    const { said, node, minutes } = await lonelyNode(t)
    await minutes(1)
    await until(async () => {
      await minutes(1)
      return said.length === 2
    }, 'both are said')
    assert.match(said.toSorted()[0]!, /^no bootstrap answers\./)
    assert.match(said.toSorted()[1]!, /^no peer has been connected/)
    const other = await lonelyNode(t)
    await other.node.stop()
    await node.stop()
    await other.minutes(2)
    assert.deepEqual(other.said, [])
  })

  it('come when nothing happens any more, and know of the keeper', async (t) => {
    const peers = [{ id: PEER, addresses: [{ text: '/ip4/127.0.0.1/tcp/1', group: undefined }] }]
    const answers = [{ peers, self: undefined, observed: undefined, registrations: [], bootstraps: [] }]
    // One answer, and then it is silent.
    const silence = (signal?: AbortSignal) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
    const discover = async ({ signal }: AbortOptions = {}) => answers.pop() ?? (await silence(signal))
    const connect = () => ({ id: A, discover, register: () => silence(), unregister: () => silence() })
    const { said, minutes } = await lonelyNode(t, { register: false }, { peers: peerKeeper() }, { connect })
    await minutes(1)
    assert.deepEqual(said.length, 1)
    assert.match(said[0]!, /^no peer has been connected for 30 s\. Known peers: 1\. None of them could be reached/)
  })

  for (const [what, listen, register, says] of [
    ['that only IPv6 can reach', ['/ip6/::1/tcp/0'], true, 1],
    ['that does not listen', [], true, 0],
    ['that is not to be registered', ['/ip6/::1/tcp/0'], false, 0],
  ] as const) {
    it(`tell ${says} time of a node without an address to register: one ${what}`, async (t) => {
      const { said, minutes } = await lonelyNode(t, { register }, {}, { listen })
      await minutes(1)
      const about = said.filter((text) => text.startsWith('this node listens, but has no address to register'))
      assert.equal(about.length, says)
      assert.ok(
        about.every((text) => /It has \/ip6\/::1\/tcp\/.*; its bootstraps dial back over TCP in IPv4\./.test(text)),
      )
    })
  }

  it('tell of a cache that cannot be read', async (t) => {
    const { said } = await lonelyNode(t, { cache: import.meta.dirname })
    await until(() => said.length > 0, 'it is said')
    assert.match(said[0]!, /^the cache .* can't be read \(EISDIR/)
  })

  it('are not there with onEvent', async (t) => {
    let failures = 0
    const { said, minutes } = await lonelyNode(t, { onEvent: ({ type }) => (failures += type === 'failure' ? 1 : 0) })
    await until(async () => {
      await minutes(1)
      return failures > 3
    }, 'it has failed some times')
    assert.deepEqual(said, [])
  })
})

/** As frozen as one of another library may be. */
function frozenLogger(onError: (text: string) => void): Logger {
  const error = Object.freeze((text: string, ...args: unknown[]) => onError(format(text, ...args)))
  const newScope = () => frozenLogger(onError)
  return Object.freeze(Object.assign(() => {}, { error, trace() {}, enabled: false, newScope }))
}
