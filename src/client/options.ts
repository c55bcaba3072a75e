import { multiaddr } from '@multiformats/multiaddr'
import {
  callback,
  checkArgument,
  checkOptions,
  type ModuleOptions,
  number,
  objectWith,
  oneOf,
  path,
  refuse,
  shortText,
  text,
  texts,
  toggle,
} from '../base/option-kinds.ts'
import { MAX_LIMIT, MAX_NETWORK_BYTES, MAX_TTL_S, MIN_TTL_S } from '../wire/bootstrap-codec.ts'
import { bootstrapProblem, EXAMPLE_BOOTSTRAP, peerIdOf } from './bootstrap-address.ts'
import type { BootstrapClientInit, CallOptions, RegisterOptions } from './bootstrap-client.ts'
import { type BootstrapDiscoveryInit, REFRESH_INTERVAL_MS, TTL_S } from './discovery/discovery-init.ts'
import { CALL_TIMEOUT_MS } from './exchange.ts'
import { type PeerKeeperInit, PING_INTERVAL_MS, TARGET } from './keeper/keeper-init.ts'
import type { RendezvousClientInit } from './rendezvous-client.ts'

/**
 * Below a second an interval is most likely meant in seconds, and a bootstrap would limit the rate; above a day, in
 * microseconds, and a registration would be over before the next.
 */
const interval = (example: number) => number({ min: 1000, max: 86_400_000, unit: 'ms', example })
/** A handshake across the world takes a second; more than ten minutes is no deadline, but a mistaken unit. */
const timeout = number({ min: 1000, max: 600_000, unit: 'ms', example: CALL_TIMEOUT_MS })
const network = shortText(MAX_NETWORK_BYTES)
const target = number({ min: 1, max: 1000, example: TARGET })
const ttl = number({ min: MIN_TTL_S, max: MAX_TTL_S, unit: 's', example: TTL_S })
const signal = objectWith(['aborted'], 'an AbortSignal: signal: AbortSignal.timeout(10_000)')
const scheduler = objectWith(['now', 'after'], 'a Scheduler, with now() and after(ms, task)')
const random = callback('Math.random')

const DISCOVERY: ModuleOptions<BootstrapDiscoveryInit> = {
  example: `{ bootstraps: ['${EXAMPLE_BOOTSTRAP}'] }`,
  table: {
    bootstraps: texts(EXAMPLE_BOOTSTRAP, bootstrapProblem),
    bootstrapsFile: path('bootstraps.txt'),
    network,
    cache: path('peers-cache.json'),
    target,
    refreshInterval: interval(REFRESH_INTERVAL_MS),
    ttl,
    register: toggle,
    timeout,
    onEvent: callback('(event) => console.log(event)'),
    resolveTxt: callback('async (name) => [`dnsaddr=…`]'),
    scheduler,
    random,
    connect: callback('(addresses) => new BootstrapClient(node, addresses)'),
  },
  // `list` and `interval` are those of @libp2p/bootstrap, of other versions too.
  otherNames: {
    list: 'bootstraps',
    peers: 'bootstraps',
    nodes: 'bootstraps',
    bootnodes: 'bootstraps',
    addresses: 'bootstraps',
    multiaddrs: 'bootstraps',
    file: 'bootstrapsFile',
    chain: 'network',
    namespace: 'network',
    topic: 'network',
    networkname: 'network',
    chainid: 'network',
    interval: 'refreshInterval',
    cachefile: 'cache',
    cachepath: 'cache',
  },
}

const KEEPER: ModuleOptions<PeerKeeperInit> = {
  example: `{ target: ${TARGET} }`,
  table: { target, anchors: path('anchors.json'), pingInterval: interval(PING_INTERVAL_MS), scheduler, random },
  otherNames: {
    peers: 'target',
    count: 'target',
    minconnections: 'target',
    maxconnections: 'target',
    cache: 'anchors',
    file: 'anchors',
    interval: 'pingInterval',
  },
}

const CLIENT: ModuleOptions<BootstrapClientInit> = {
  example: `{ network: 'mychain' }`,
  table: { network, timeout },
  otherNames: { chain: 'network', namespace: 'network' },
}

const CALL: ModuleOptions<CallOptions> = {
  example: '{ limit: 20 }',
  table: { limit: number({ min: 0, max: MAX_LIMIT, example: 20 }), explain: toggle, signal },
}

const REGISTER: ModuleOptions<RegisterOptions> = { example: '{ ttl: 3600 }', table: { ...CALL.table, ttl } }

const RENDEZVOUS: ModuleOptions<RendezvousClientInit> = {
  example: '{ privateKey }',
  table: {
    privateKey: objectWith(['sign', 'publicKey'], "a libp2p private key: await generateKeyPair('Ed25519')"),
    timeout,
    form: oneOf('standard', 'routing-state'),
  },
  otherNames: { key: 'privateKey', identity: 'privateKey' },
}

/** Throws a TypeError unless `bootstrapDiscovery` can do with these options. */
export function checkDiscoveryInit(init: BootstrapDiscoveryInit): void {
  checkOptions('bootstrapDiscovery', init, DISCOVERY)
  const { bootstraps, bootstrapsFile, cache } = init
  // A cache alone is enough: of a node whose bootstraps are gone, or that was handed a cache.
  if ((bootstraps ?? []).length === 0 && bootstrapsFile === undefined && cache === undefined) {
    const given = bootstraps === undefined ? 'there are no bootstraps' : 'bootstraps is empty'
    refuse(
      'bootstrapDiscovery',
      `${given}, and there is neither bootstrapsFile nor cache, so it would never find a peer; write ` +
        `bootstraps: ['${EXAMPLE_BOOTSTRAP}'], or leave the module out of peerDiscovery`,
    )
  }
}

/** Throws a TypeError unless `peerKeeper` can do with these options. */
export function checkKeeperInit(init: PeerKeeperInit): void {
  checkOptions('peerKeeper', init, KEEPER)
}

/** Throws a TypeError unless these are arguments of `new BootstrapClient`. */
export function checkBootstrapClient(dialer: unknown, bootstrap: unknown, init: BootstrapClientInit): void {
  const module = 'BootstrapClient'
  checkArgument(module, 'the first argument', dialer, libp2pWith('dial'))
  checkArgument(module, 'bootstrap', bootstrap, Array.isArray(bootstrap) ? multiaddrs : oneMultiaddr)
  checkOptions(module, init, CLIENT)
}

/** Throws a TypeError unless these are arguments of `new RendezvousClient`. */
export function checkRendezvousClient(dialer: unknown, point: unknown, init: RendezvousClientInit): void {
  const module = 'RendezvousClient'
  checkArgument(module, 'the first argument', dialer, libp2pWith('dialProtocol'))
  checkArgument(module, 'point', point, oneMultiaddr)
  checkOptions(module, init, RENDEZVOUS)
}

/** Throws a TypeError unless these are arguments of a call of `BootstrapClient`. */
export function checkCall(
  call: 'register' | 'unregister' | 'discover',
  addresses: unknown,
  options: CallOptions,
): void {
  const module = `BootstrapClient.${call}`
  checkArgument(module, 'addresses', addresses, texts('/ip4/0.0.0.0/tcp/4001'))
  if (call === 'register') {
    checkOptions(module, options, REGISTER)
  } else {
    checkOptions(module, options, CALL)
  }
}

function libp2pWith(method: string) {
  return objectWith(['peerId', method], 'a libp2p node: await createLibp2p(…)')
}

const oneMultiaddr = text(EXAMPLE_BOOTSTRAP, multiaddrProblem)
const multiaddrs = texts(EXAMPLE_BOOTSTRAP, multiaddrProblem)

/** Of whatever the node's transports can dial, as long as it says whom to expect there. */
function multiaddrProblem(address: string): string | undefined {
  try {
    multiaddr(address)
  } catch {
    return `write a multiaddr, such as ${EXAMPLE_BOOTSTRAP}`
  }
  return peerIdOf(address) === undefined
    ? `it names no peer; write its PeerId behind it: ${address}/p2p/12D3Koo…`
    : undefined
}
