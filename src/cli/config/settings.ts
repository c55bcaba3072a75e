// The settings of the commands: name, default, help, example and checks of each. It is one long file because it is one
// table, with the names that are derived from it.

import { join } from 'node:path'
import { OPTIMIZATIONS, PROTECTIONS } from '../../host/switches.ts'
import {
  MAX_CONNECTIONS,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  MAX_SIBLINGS,
  PROOF_CPU_PERCENT,
  REPROVE_INTERVAL_MS,
} from '../../peer/limits.ts'
import {
  accessRule,
  announceAddress,
  bootstrapAddress,
  choice,
  count,
  directoryPath,
  duration,
  filePath,
  type Kind,
  list,
  listenAddress,
  networkName,
  optional,
  toggle,
} from './values.ts'

/** The commands that have settings. */
export type ConfiguredCommand = 'start' | 'id' | 'keygen'

export interface Setting<T> {
  readonly kind: Kind<T>
  readonly default: NoInfer<T>
  /** One sentence, without the default and the unit, which are printed beside it. */
  readonly help: string
  /** A value as an operator would type it. */
  readonly example: string
  readonly commands: readonly ConfiguredCommand[]
}

const ALL = ['start', 'id', 'keygen'] as const
const START = ['start'] as const

/** The port of the original program, which this node replaces. */
const DEFAULT_PORT = 4000

/**
 * Every setting. The name in the code is the flag, the variable and the key of the config file in another
 * spelling: `maxPeers`, `--max-peers`, `BOOTSTRAP_PEER_MAX_PEERS`, `"max-peers"`.
 */
export const SETTINGS = {
  listen: setting({
    kind: list(listenAddress(), { min: 1, max: 16 }),
    default: anyAddress(DEFAULT_PORT),
    help: 'Address to listen on; port 0 lets the system choose.',
    example: '/ip4/0.0.0.0/tcp/4000',
    commands: START,
  }),
  port: setting({
    kind: optional(count({ min: 0, max: 65_535, placeholder: '<port>' })),
    default: undefined,
    help: 'Port to listen on, IPv4 and IPv6, in place of 4000; not together with listen.',
    example: '4001',
    commands: START,
  }),
  announce: setting({
    kind: list(announceAddress(), { min: 0, max: 16 }),
    default: [],
    help: 'Address at which others reach this node, where it differs from the listen address (NAT, container, DNS).',
    example: '/ip4/203.0.113.7/tcp/4000',
    commands: START,
  }),
  dataDir: setting({
    kind: directoryPath(),
    default: '.',
    help: 'The directory of keys/identity.key and peers.json; created with mode 0700 if it does not exist.',
    example: '/var/lib/bootstrap-peer',
    commands: ALL,
  }),
  key: setting({
    kind: filePath(),
    default: 'keys/identity.key',
    help: 'The private key that is the identity of this node; created on the first start.',
    example: 'keys/identity.key',
    commands: ALL,
  }),
  allowLooseKeyMode: setting({
    kind: toggle(),
    default: false,
    help: 'Accept a key that group or others can read, as a mounted secret may have to be.',
    example: 'true',
    commands: ['start', 'id'],
  }),
  file: setting({
    kind: filePath(),
    default: 'peers.json',
    help: 'The list of known peers. The other files of the store are beside it.',
    example: 'peers.json',
    commands: START,
  }),
  network: setting({
    kind: list(networkName(), { min: 0, max: MAX_NETWORKS }),
    default: [],
    help: 'Serve only the network of this name; without one, any. "" is the network of peers that name none.',
    example: 'mainnet',
    commands: START,
  }),
  sibling: setting({
    kind: list(bootstrapAddress(), { min: 0, max: MAX_SIBLINGS }),
    default: [],
    help: 'Another bootstrap of yours, with its PeerId; clients that ask here learn of it and remember it.',
    example: '/ip4/203.0.113.7/tcp/4000/p2p/12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE',
    commands: START,
  }),
  listing: setting({
    kind: choice(['verified', 'registered']),
    default: 'verified',
    help: 'Which peers are listed: those that were reached at their address, or all that registered.',
    example: 'verified',
    commands: START,
  }),
  reproveInterval: setting({
    kind: duration({ min: '1s', max: '7d' }),
    default: REPROVE_INTERVAL_MS,
    help: 'How long after its last dial-back an address is dialed again, on average: a third of it while it is new, 1.2 times it later.',
    example: '15m',
    commands: START,
  }),
  proofCpuPercent: setting({
    kind: count({ min: 1, max: 400, placeholder: '<percent>' }),
    default: PROOF_CPU_PERCENT,
    help: 'CPU that dialing listed addresses again may take, percent of a core.',
    example: '50',
    commands: START,
  }),
  deny: setting({
    kind: list(accessRule(), { min: 0, max: 10_000 }),
    default: [],
    help: 'Never list this peer, IP or range; an IP or a range gets no connection either.',
    example: '203.0.113.0/24',
    commands: START,
  }),
  allow: setting({
    kind: list(accessRule(), { min: 0, max: 10_000 }),
    default: [],
    help: 'List only this peer, IP or range; any client may still ask.',
    example: '12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE',
    commands: START,
  }),
  allowForeignIp: setting({
    kind: toggle(),
    default: false,
    help: 'For closed networks: list addresses at other IPs than the one the caller comes from.',
    example: 'true',
    commands: START,
  }),
  allowPrivateIp: setting({
    kind: toggle(),
    default: false,
    help: 'For closed networks: list private addresses of callers that come from elsewhere.',
    example: 'true',
    commands: START,
  }),
  unlimitedNeighbours: setting({
    kind: toggle(),
    default: false,
    help: 'For closed networks: no limits by IP and subnet on the number of registrations.',
    example: 'true',
    commands: START,
  }),
  maxPeers: setting({
    kind: count({ min: 1, max: 10_000_000 }),
    default: MAX_PEERS,
    help: 'The most registrations kept, over all networks.',
    example: '250000',
    commands: START,
  }),
  maxPeersPerNetwork: setting({
    kind: count({ min: 1, max: 10_000_000 }),
    default: MAX_PEERS_PER_NETWORK,
    help: 'The most peers of one network, so that one network does not crowd out the others.',
    example: '200000',
    commands: START,
  }),
  maxNetworks: setting({
    kind: count({ min: 1, max: 1_000_000 }),
    default: MAX_NETWORKS,
    help: 'The most networks served at a time.',
    example: '1000',
    commands: START,
  }),
  rendezvous: setting({
    kind: toggle(),
    default: true,
    help: "Serve libp2p's own /rendezvous/1.0.0 on the same list.",
    example: 'true',
    commands: START,
  }),
  legacyTcp: setting({
    kind: count({ min: 0, max: 65_535 }),
    default: 0,
    help: 'Port for the raw TCP wire of the original program; 0 is off.',
    example: '3000',
    commands: START,
  }),
  maxConnections: setting({
    kind: count({ min: 8, max: 100_000 }),
    default: MAX_CONNECTIONS,
    help: 'The most connections open at a time.',
    example: '4000',
    commands: START,
  }),
  disableProtection: setting({
    kind: list(choice(PROTECTIONS), { min: 0, max: PROTECTIONS.length }),
    default: [],
    help: 'Disable this protection, to rule it out while debugging.',
    example: 'groups',
    commands: START,
  }),
  disableOptimization: setting({
    kind: list(choice(OPTIMIZATIONS), { min: 0, max: OPTIMIZATIONS.length }),
    default: [],
    help: 'Disable this optimization, to rule it out while debugging.',
    example: 'joinedWrites',
    commands: START,
  }),
  logLevel: setting({
    kind: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    help: 'The lowest level that is logged.',
    example: 'debug',
    commands: START,
  }),
  summaryInterval: setting({
    kind: duration({ min: '100ms', max: '1d' }),
    default: 60_000,
    help: 'The interval of the summary line in the log.',
    example: '1m',
    commands: START,
  }),
} as const

type Settings = typeof SETTINGS
export type SettingKey = keyof Settings

/** The settings in force, as plain data: durations in ms, everything else as {@link SETTINGS} says. */
export type Config = { readonly [K in SettingKey]: Settings[K] extends Setting<infer T> ? T : never }

/** A default that another setting moves, such as that of the key by the data directory. */
export interface MovedDefault<K extends SettingKey> {
  readonly by: SettingKey
  readonly to: (config: Config) => Config[K]
}

/** Applied where a setting on the left is not given, and the one that moves it is. */
export const MOVED_DEFAULTS: { readonly [K in SettingKey]?: MovedDefault<K> } = {
  listen: { by: 'port', to: ({ port = DEFAULT_PORT }) => anyAddress(port) },
  key: { by: 'dataDir', to: ({ dataDir }) => join(dataDir, SETTINGS.key.default) },
  file: { by: 'dataDir', to: ({ dataDir }) => join(dataDir, SETTINGS.file.default) },
}

export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[]

/** The flag without its dashes, and the key in the config file: `maxPeers` is `max-peers`. */
export function settingName(key: SettingKey): string {
  return key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)
}

/** The environment variable: `maxPeers` is `BOOTSTRAP_PEER_MAX_PEERS`. */
export function settingVariable(key: SettingKey): string {
  return ENVIRONMENT_PREFIX + settingName(key).toUpperCase().replaceAll('-', '_')
}

export const ENVIRONMENT_PREFIX = 'BOOTSTRAP_PEER_'

/** The setting without its own type, for code that treats all settings alike. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return SETTINGS[key] as Setting<unknown>
}

/** The config as a config file would hold it: without what is not set. */
export function configJson(config: Config): Record<string, unknown> {
  const json = SETTING_KEYS.map((key) => [settingName(key), settingOf(key).kind.toJson(config[key])] as const)
  return Object.fromEntries(json.filter(([, value]) => value !== undefined))
}

function anyAddress(port: number): string[] {
  return [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`]
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}
