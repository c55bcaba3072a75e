import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import { isPeerId, start, stop } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { isMultiaddr } from '@multiformats/multiaddr'
import type { Libp2p, Libp2pOptions } from 'libp2p'
import { BootstrapClient } from '../../../src/client/bootstrap-client.ts'
import { bootstrapDiscovery } from '../../../src/client/discovery/discovery.ts'
import type { DiscoveryEvent } from '../../../src/client/discovery/discovery-events.ts'
import type { BootstrapDiscoveryInit } from '../../../src/client/discovery/discovery-init.ts'
import { type BootstrapPeer, type BootstrapPeerInit, createBootstrapPeer } from '../../../src/index.ts'
import { namespaceFault, spawnInNamespace } from '../../support/namespace.ts'
import { addressOf, startPeer } from '../../support/peers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/wait.ts'
import { startFakeBootstrap } from '../fake-bootstrap.ts'

/** More of them than a node wants peers. */
const DEAD_IDS = await Promise.all(
  Array.from({ length: 10 }, async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()),
)

describe('bootstrapDiscovery', () => {
  let stops: Array<() => Promise<unknown>>

  beforeEach(() => {
    stops = []
  })

  afterEach(async () => {
    await Promise.all(stops.map((each) => each()))
  })

  async function bootstrapPeer(init: BootstrapPeerInit = {}): Promise<BootstrapPeer> {
    const bootstrap = createBootstrapPeer(init)
    await bootstrap.start()
    stops.push(() => bootstrap.stop())
    return bootstrap
  }

  async function chainNode(init: BootstrapDiscoveryInit, options: Libp2pOptions = {}) {
    const events: DiscoveryEvent[] = []
    const found = new Map<string, PeerInfo>()
    const discovery = bootstrapDiscovery({ ...init, onEvent: (event) => events.push(event) })
    const node = await startPeer({ ...options, start: false, peerDiscovery: [discovery] })
    node.addEventListener('peer:discovery', ({ detail }) => found.set(detail.id.toString(), detail))
    await node.start()
    stops.push(async () => await node.stop())
    return { node, events, found }
  }

  async function fakeBootstrap(...script: Parameters<typeof startFakeBootstrap>): Promise<string> {
    const node = await startFakeBootstrap(...script)
    stops.push(async () => await node.stop())
    return String(node.getMultiaddrs()[0])
  }

  const outcomesOf = (events: readonly DiscoveryEvent[]) => events.filter((event) => event.type === 'outcomes')
  const idOf = (node: Libp2p) => node.peerId.toString()

  it('registers the node where it is seen, and finds the others', async () => {
    const bootstrap = await bootstrapPeer()
    const first = await chainNode({ bootstraps: bootstrap.multiaddrs })
    await until(() => outcomesOf(first.events).length > 0, 'the first is registered')
    assert.equal(outcomesOf(first.events)[0]!.registrations[0]!.status, 'listed')

    const second = await chainNode({ bootstraps: bootstrap.multiaddrs })
    await until(() => second.found.has(idOf(first.node)), 'the second finds the first')
    const [multiaddr] = second.found.get(idOf(first.node))!.multiaddrs
    assert.ok(multiaddr!.toString().startsWith(addressOf(first.node)))
  })

  it('registers the port of the family that it is seen in', async () => {
    const bootstrap = await bootstrapPeer({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'] })
    const [in4, in6] = bootstrap.multiaddrs as [string, string]
    const named = (family: string) => in4.replace('/ip4/127.0.0.1/', `/${family}/localhost/`)
    for (const [bootstraps, family] of [
      [[named('dns4')], 4],
      [[named('dns')], 4],
      [[in4, in6], 4],
      [[in6, in4], 6],
    ] as const) {
      const addresses = { listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'] }
      const { node, events } = await chainNode({ bootstraps }, { addresses })
      await until(() => outcomesOf(events).length > 0, 'it is registered')
      const own = node.getMultiaddrs().map(String)
      assert.deepEqual(
        outcomesOf(events)[0]!.registrations.map(({ address, status }) => [`${address}/p2p/${node.peerId}`, status]),
        own.filter((each) => each.startsWith(`/ip${family}/`)).map((each) => [each, 'listed']),
      )
    }
  })

  it('registers a node that listens only at a public IP', { skip: namespaceFault() ?? false }, async (t) => {
    const child = spawnInNamespace([fileURLToPath(import.meta.resolve('./public-node.ts'))])
    t.after(() => child.kill('SIGKILL'))
    const signal = AbortSignal.timeout(20_000)
    const [line] = await once(createInterface({ input: child.stdout! }), 'line', { signal })
    assert.equal(line, 'listed /ip4/45.2.2.2/tcp/4001')
  })

  it('takes the node back when it stops', async () => {
    const bootstrap = await bootstrapPeer()
    const { node, events } = await chainNode({ bootstraps: bootstrap.multiaddrs })
    await until(() => outcomesOf(events).length > 0, 'it is registered')
    assert.equal(bootstrap.status.registrationCount, 1)
    await node.stop()
    assert.equal(bootstrap.status.registrationCount, 0)
  })

  it('registers beside its first question, over one connection', async () => {
    const requests: string[] = []
    let answer = () => {}
    const registered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const fake = await startFakeBootstrap(async ({ addresses }) => {
      requests.push(addresses === undefined ? 'ask' : 'register')
      if (addresses !== undefined) {
        answer()
      }
      // The question is not answered before the registration is there.
      await registered
      return '[]\n'
    })
    stops.push(async () => await fake.stop())
    let connections = 0
    fake.addEventListener('connection:open', () => connections++)
    const { events } = await chainNode({ bootstraps: [String(fake.getMultiaddrs()[0])] })
    await until(() => events.some(({ type }) => type === 'answer'), 'it is answered')
    assert.deepEqual(new Set(requests), new Set(['ask', 'register']))
    assert.equal(connections, 1)
  })

  it('reports no bootstrap as unreachable that is there, whenever it stops after its start', async () => {
    const bootstrap = await bootstrapPeer()
    for (let turns = 0; turns < 40; turns++) {
      const { node, events } = await chainNode({ bootstraps: bootstrap.multiaddrs })
      for (let each = 0; each < turns; each++) {
        await turn()
      }
      await node.stop()
      const errors = events.flatMap((event) => (event.type === 'unregistered' && event.error ? [event.error.code] : []))
      assert.deepEqual(errors, [], `after ${turns} turns`)
    }
  })

  it('only asks when the node does not listen', async () => {
    const bootstrap = await bootstrapPeer()
    const { events } = await chainNode({ bootstraps: bootstrap.multiaddrs }, { addresses: { listen: [] } })
    await until(() => events.some(({ type }) => type === 'answer'), 'it is answered')
    assert.equal(bootstrap.status.registrationCount, 0)
  })

  it('is not delayed by bootstraps that hang, refuse or are not there', async () => {
    const bootstrap = await bootstrapPeer()
    const other = await chainNode({ bootstraps: bootstrap.multiaddrs })
    await until(() => outcomesOf(other.events).length > 0, 'the other is registered')
    const hangs = await fakeBootstrap(() => undefined)
    const refuses = await fakeBootstrap(() => '{"error":{"code":"rate_limited","message":"later","retryAfter":60}}\n')
    const renamed = bootstrap.multiaddrs[0]!.replace(/p2p\/.*/, `p2p/${other.node.peerId}`)
    const started = performance.now()
    const { node, found, events } = await chainNode({
      bootstraps: [hangs, refuses, renamed, ...bootstrap.multiaddrs],
      timeout: 60_000,
    })
    await until(() => found.has(idOf(other.node)), 'it finds the other')
    assert.ok(performance.now() - started < 5000)
    await until(() => events.filter(({ type }) => type === 'failure').length >= 2, 'both failures are told')
    await node.stop()
    assert.ok(performance.now() - started < 10_000, 'the one that hangs does not hold up the stop')
  })

  it('relearns a bootstrap that lost its list', async () => {
    const bootstrap = await bootstrapPeer()
    const { node, events } = await chainNode({ bootstraps: bootstrap.multiaddrs, refreshInterval: 1000 })
    await until(() => outcomesOf(events).length > 0, 'it is registered')
    const { address } = outcomesOf(events)[0]!.registrations[0]!
    // A second client of the same identity takes it back: to the node that is a bootstrap that forgot it.
    await new BootstrapClient(node, bootstrap.multiaddrs).unregister([address])
    assert.equal(bootstrap.status.registrationCount, 0)
    await until(() => bootstrap.status.registrationCount === 1, 'it has registered again')
  })

  it('starts from its cache when no bootstrap answers', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'deep', 'cache.json')
    const bootstrap = await bootstrapPeer()
    const [worked, unmet] = await Promise.all([startPeer(), startPeer()])
    stops.push(async () => await worked.stop())
    stops.push(async () => await unmet.stop())
    const records = [worked, unmet].map((peer) => ({ address: String(peer.getMultiaddrs()[0]) }))
    const liar = await fakeBootstrap(() => `${JSON.stringify(records)}\n`)
    const first = await chainNode({ bootstraps: [liar], cache })
    await until(() => [worked, unmet].every((peer) => first.found.has(idOf(peer))), 'both are found')
    await first.node.dial(worked.peerId)
    await first.node.stop()

    const bootstraps = bootstrap.multiaddrs
    await bootstrap.stop()
    const second = await chainNode({ bootstraps, cache })
    await until(() => second.found.has(idOf(worked)), 'the one that worked is found')
    assert.ok(!second.found.has(idOf(unmet)))
  })

  it('remembers a peer that connected itself, too', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'cache.json')
    const bootstrap = await bootstrapPeer()
    const { node, events } = await chainNode({ bootstraps: bootstrap.multiaddrs, cache, refreshInterval: 1000 })
    const inbound = await startPeer()
    stops.push(async () => await inbound.stop())
    await inbound.dial(node.getMultiaddrs())
    await new BootstrapClient(inbound, bootstrap.multiaddrs).register([addressOf(inbound)])
    await until(() => events.some((event) => event.type === 'answer' && event.peers === 1), 'it was named')
    await node.stop()
    const { peers } = JSON.parse(await readFile(cache, 'utf8'))
    assert.deepEqual(
      peers.map(({ id, addresses }: { id: string; addresses: string[] }) => ({ id, addresses })),
      [{ id: idOf(inbound), addresses: [addressOf(inbound)] }],
    )
  })

  /** A cache file with one peer that is alive, and that no bootstrap names. */
  async function cacheWith(peer: Libp2p): Promise<string> {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'cache.json')
    const peers = [{ id: idOf(peer), addresses: [addressOf(peer)], workedAt: Date.now() }]
    await writeFile(cache, JSON.stringify({ version: 1, bootstraps: [], peers }))
    return cache
  }

  for (const [what, answer] of [
    ['an empty list', () => '[]\n'],
    [
      'a list of dead peers',
      () => {
        const records = DEAD_IDS.map((id, i) => ({ address: `/ip4/127.0.0.1/tcp/${65_000 + i}/p2p/${id}` }))
        return `${JSON.stringify(records)}\n`
      },
    ],
  ] as const) {
    it(`uses its cache when a bootstrap answers ${what} for ever`, async () => {
      const alive = await startPeer()
      stops.push(async () => await alive.stop())
      const cache = await cacheWith(alive)
      const { found, events } = await chainNode({ bootstraps: [await fakeBootstrap(answer)], cache })
      await until(() => found.has(idOf(alive)), 'the peer of the cache is found', 10_000)
      assert.ok(events.some((event) => event.type === 'answer'))
      assert.ok(events.some((event) => event.type === 'cache' && event.peers === 1))
    })
  }

  it('remembers a peer that connected itself at once, where it listens at the IP it is seen at', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'cache.json')
    const bootstrap = await bootstrapPeer()
    const { node } = await chainNode(
      { bootstraps: bootstrap.multiaddrs, cache },
      { services: { identify: identify() } },
    )
    const victim = '/ip4/203.0.113.9/tcp/22'
    const inbound = await startPeer({
      services: { identify: identify() },
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'], appendAnnounce: [victim] },
    })
    stops.push(async () => await inbound.stop())
    const identified = new Promise<void>((resolve) => {
      node.addEventListener('peer:identify', ({ detail }) => detail.peerId.equals(inbound.peerId) && resolve())
    })
    await inbound.dial(node.getMultiaddrs())
    await identified
    await node.stop()
    const { peers } = JSON.parse(await readFile(cache, 'utf8'))
    assert.deepEqual(
      peers.map(({ id, addresses }: { id: string; addresses: string[] }) => ({ id, addresses })),
      [{ id: idOf(inbound), addresses: [addressOf(inbound)] }],
    )
  })

  it('unregisters with every bootstrap when it stops, and says which it did not reach', async () => {
    const all = await Promise.all([bootstrapPeer(), bootstrapPeer(), bootstrapPeer(), bootstrapPeer()])
    const { node, events } = await chainNode({ bootstraps: all.flatMap(({ multiaddrs }) => multiaddrs) })
    await until(() => all.every((each) => each.status.registrationCount === 1), 'all list it')
    await until(() => outcomesOf(events).length === all.length, 'all have answered')
    const [gone, ...alive] = all as [BootstrapPeer, ...BootstrapPeer[]]
    await gone.stop()
    await node.stop()
    assert.deepEqual(
      alive.map((each) => each.status.registrationCount),
      [0, 0, 0],
    )
    const ends = events.flatMap((event) =>
      event.type === 'unregistered' ? [[event.bootstrap, event.error?.code] as const] : [],
    )
    assert.deepEqual(
      new Map(ends),
      new Map(all.map(({ peerId }) => [peerId.toString(), peerId === gone.peerId ? 'unreachable' : undefined])),
    )
  })

  it('sets a cache aside that is not readable', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'cache.json')
    await writeFile(cache, '{"version":1,"peers":[{"id"')
    const { events } = await chainNode({ bootstraps: [], cache })
    await until(() => events.some(({ type }) => type === 'warning'), 'it says so')
    const [warning] = events as [Extract<DiscoveryEvent, { type: 'warning' }>]
    const [setAside] = /\S+\.corrupt-\d+/.exec(warning.message)!
    assert.equal(await readFile(setAside, 'utf8'), '{"version":1,"peers":[{"id"')
  })

  it('follows the siblings that a bootstrap names, once it has spoken to them', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const cache = join(folder, 'cache.json')
    const sibling = await bootstrapPeer()
    const dead = `/ip4/127.0.0.1/tcp/65000/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK`
    const origin = await bootstrapPeer({ siblings: [sibling.multiaddrs[0]!, dead] })
    const named = origin.multiaddrs[0]!
    const first = await chainNode({ bootstraps: [named], cache })
    await until(() => first.events.some(({ type }) => type === 'learned'), 'the sibling is learned')
    await until(() => sibling.status.registrationCount === 1, 'it is registered there too')
    await first.node.stop()
    assert.deepEqual(
      JSON.parse(await readFile(cache, 'utf8')).bootstraps.map(({ id }: { id: string }) => id),
      [sibling.peerId.toString()],
    )
    await origin.stop()
    const second = await chainNode({ bootstraps: [named], cache })
    await until(() => second.events.some((event) => event.type === 'answer'), 'it is asked while its origin is dead')
    await second.node.stop()
    const third = await chainNode({ bootstraps: [dead], cache })
    await until(() => third.events.some((event) => event.type === 'failure'), 'those that are configured are asked')
    // A node that stops before it has read its cache leaves it as it is.
    const cached = async () => JSON.parse(await readFile(cache, 'utf8')).bootstraps
    await until(async () => (await cached()).length === 0, 'it is forgotten')
    await third.node.stop()
    assert.ok(!third.events.some((event) => event.type === 'answer'), 'it ended with its origin')
    assert.deepEqual(await cached(), [])
  })

  it('takes bootstraps from a file and from a name, again and again', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const [inFile, inDns, later] = await Promise.all([bootstrapPeer(), bootstrapPeer(), bootstrapPeer()])
    const bootstrapsFile = join(folder, 'bootstraps.txt')
    await writeFile(bootstrapsFile, `# ours\n${inFile!.multiaddrs[0]}\n\nrubbish\n`)
    const asked: string[] = []
    const { events } = await chainNode({
      bootstraps: ['/dnsaddr/boot.example'],
      bootstrapsFile,
      refreshInterval: 1000,
      resolveTxt: async (name) => {
        asked.push(name)
        return name === '_dnsaddr.boot.example'
          ? ['v=spf1', 'dnsaddr=/dnsaddr/eu.boot.example', 'dnsaddr=/dnsaddr/gone.example']
          : name === '_dnsaddr.eu.boot.example'
            ? [`dnsaddr=${inDns!.multiaddrs[0]}`]
            : Promise.reject(new Error('no such name'))
      },
    })
    const answeredBy = ({ peerId }: BootstrapPeer) =>
      events.some((event) => event.type === 'answer' && event.bootstrap === peerId.toString())
    await until(() => answeredBy(inFile!) && answeredBy(inDns!), 'both are asked')
    assert.ok(events.some((event) => event.type === 'warning' && event.message.includes('"rubbish"')))
    await writeFile(bootstrapsFile, JSON.stringify([{ address: later!.multiaddrs[0] }]))
    await until(() => answeredBy(later!), 'the new one is asked')
  })

  it('lets nothing that the application throws out', async () => {
    const bootstrap = await bootstrapPeer()
    const node = await startPeer({
      peerDiscovery: [
        bootstrapDiscovery({
          bootstraps: bootstrap.multiaddrs,
          onEvent: () => {
            throw new Error('of the application')
          },
        }),
      ],
    })
    stops.push(async () => await node.stop())
    await until(() => bootstrap.status.registrationCount === 1, 'it is registered all the same')
  })

  // What @libp2p/interface-compliance-tests checks of a peer discovery; that package does not install today.
  describe('as a libp2p peer discovery', () => {
    async function discoveryOf(): Promise<{ discovery: PeerDiscovery; peers: PeerInfo[] }> {
      const other = '/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
      const at = await fakeBootstrap(() => `${JSON.stringify([{ address: other }])}\n`)
      let discovery: PeerDiscovery | undefined
      const factory = bootstrapDiscovery({ bootstraps: [at], refreshInterval: 1000 })
      // Another node's parts: this one is started and stopped by the test alone.
      const node = await startPeer({
        services: {
          probe: (components: Parameters<typeof factory>[0]) => {
            discovery = factory(components)
            return {}
          },
        },
      } as Libp2pOptions)
      stops.push(async () => await node.stop())
      const peers: PeerInfo[] = []
      discovery!.addEventListener('peer', ({ detail }) => peers.push(detail))
      stops.push(async () => await stop(discovery))
      return { discovery: discovery!, peers }
    }

    it('can be started and stopped, again and again', async () => {
      const { discovery, peers } = await discoveryOf()
      await stop(discovery)
      await start(discovery)
      await start(discovery)
      await until(() => peers.length > 0, 'a peer is found')
      await stop(discovery)
      await stop(discovery)
      const before = peers.length
      await start(discovery)
      await until(() => peers.length > before, 'a peer is found after another start')
    })

    it('emits nothing before it is started and after it is stopped', async () => {
      const { discovery, peers } = await discoveryOf()
      await turn()
      assert.equal(peers.length, 0)
      await start(discovery)
      await until(() => peers.length > 0, 'a peer is found')
      await stop(discovery)
      const before = peers.length
      const fresh = await discoveryOf()
      await start(fresh.discovery)
      await until(() => fresh.peers.length > 1, 'another one, on the same schedule, goes on')
      assert.equal(peers.length, before)
    })

    it('emits a PeerInfo', async () => {
      const { discovery, peers } = await discoveryOf()
      await start(discovery)
      await until(() => peers.length > 0, 'a peer is found')
      const [{ id, multiaddrs }] = peers as [PeerInfo]
      assert.ok(isPeerId(id))
      assert.ok(multiaddrs.length > 0 && multiaddrs.every(isMultiaddr))
    })
  })
})
