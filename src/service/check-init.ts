// Checks the options of the service.

import {
  checkOptions,
  type Kind,
  type ModuleOptions,
  number,
  objectWith,
  oneOf,
  path,
  refuse,
  shortText,
  shown,
  texts,
  toggle,
} from '../base/option-kinds.ts'
import { accessRules, disabledParts } from '../host/init-kinds.ts'
import { parseAddress } from '../peer/address.ts'
import {
  MAX_NETWORK_BYTES,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  MAX_SIBLINGS,
  PROOF_CPU_PERCENT,
  REPROVE_INTERVAL_MS,
} from '../peer/limits.ts'
import { canonicalPeerId } from '../peer/peer-id.ts'
import type { BootstrapServiceInit } from './service-init.ts'

const EXAMPLE_SIBLING = '/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…'
const network = shortText(MAX_NETWORK_BYTES)

/** What each member can be. */
export const SERVICE_OPTIONS: ModuleOptions<BootstrapServiceInit> = {
  example: `{ file: 'peers.json' }`,
  table: {
    file: path('peers.json'),
    acceptEdit: toggle,
    store: objectWith(
      ['open', 'append', 'compact', 'close', 'state'],
      "a Store, such as memoryStore(), or file: 'peers.json'",
    ),
    networks,
    // This many registrations take 10 GB.
    maxPeers: number({ min: 1, max: 10_000_000, example: MAX_PEERS }),
    maxPeersPerNetwork: number({ min: 1, max: 10_000_000, example: MAX_PEERS_PER_NETWORK }),
    maxNetworks: number({ min: 1, max: 1_000_000, example: MAX_NETWORKS }),
    listing: oneOf('verified', 'registered'),
    // Below a second it is most likely in seconds, above a week in microseconds.
    reproveInterval: number({ min: 1000, max: 604_800_000, unit: 'ms', example: REPROVE_INTERVAL_MS }),
    proofCpuPercent: number({ min: 1, max: 400, example: PROOF_CPU_PERCENT }),
    deny: accessRules,
    allow: accessRules,
    allowForeignIp: toggle,
    allowPrivateIp: toggle,
    unlimitedNeighbours: toggle,
    siblings,
    rendezvous: toggle,
    disable: disabledParts,
    legacyTcp: number({ min: 0, max: 65_535, example: 3000 }),
  },
  otherNames: {
    path: 'file',
    peers: 'file',
    list: 'file',
    peersfile: 'file',
    network: 'networks',
    namespaces: 'networks',
    chains: 'networks',
    maxregistrations: 'maxPeers',
    interval: 'reproveInterval',
    peersiblings: 'siblings',
    disabled: 'disable',
  },
}

/** Throws a TypeError for an option of `bootstrapService` that does not exist, or is not what it can be. */
export function checkServiceInit(init: BootstrapServiceInit): void {
  checkOptions('bootstrapService', init, SERVICE_OPTIONS)
  checkTogether('bootstrapService', init)
}

/** Throws a TypeError for members that exclude each other. */
export function checkTogether(module: string, { file, store }: BootstrapServiceInit): void {
  if (file !== undefined && store !== undefined) {
    refuse(
      module,
      `file is ${shown(file)} and there is a store too, which would be used instead; leave one of them out`,
    )
  }
}

function networks(value: unknown, name: string): string | undefined {
  if (!Array.isArray(value)) {
    return texts('mychain')(value, name)
  }
  return value.length === 0
    ? `${name} is empty, so no peer would be served; write ${name}: ['mychain'], or leave it out to serve any network`
    : firstFault(value, name, network)
}

function siblings(value: unknown, name: string): string | undefined {
  return Array.isArray(value) && value.length > MAX_SIBLINGS
    ? `${name} has ${value.length} addresses; write ${MAX_SIBLINGS} at most`
    : siblingAddresses(value, name)
}

/** Literal addresses: clients resolve no names that a bootstrap gives them. */
const siblingAddresses = texts(EXAMPLE_SIBLING, (address) => {
  const parsed = parseAddress(address)
  const isWhole = typeof parsed !== 'string' && parsed.address !== undefined && parsed.peerId !== undefined
  return isWhole && canonicalPeerId(parsed.peerId) !== undefined
    ? undefined
    : `write /ip4/<ip>/tcp/<port>/p2p/<PeerId> or /ip6/…, such as ${EXAMPLE_SIBLING}`
})

function firstFault(values: readonly unknown[], name: string, kind: Kind): string | undefined {
  return values.map((value, i) => kind(value, `${name}[${i}]`)).find((fault) => fault !== undefined)
}
