// The options of RendezvousClient and its methods, and their checks.

import type { AbortOptions, PrivateKey } from '@libp2p/interface'
import { checkArgument, checkOptions, type ModuleOptions, number, objectWith, oneOf } from '../base/option-kinds.ts'
import { DEFAULT_TTL_MS, MAX_LIMIT, MAX_TTL_MS, MIN_TTL_MS } from '../peer/limits.ts'
import type { RecordForm } from '../peer/record.ts'
import { libp2pWith, peerMultiaddr, signal, timeout } from './shared-options.ts'

export interface RendezvousClientInit {
  /** Signs the records that register; without it the client only discovers. */
  readonly privateKey?: PrivateKey
  /** How long a call may take, ms, dialling included: 1000 to 600,000. Default {@link CALL_TIMEOUT_MS}. */
  readonly timeout?: number
  /**
   * How records are signed: `standard`, as Go and JavaScript have it, or `routing-state`, the only one that
   * rust-libp2p's rendezvous server reads. Default: what the server takes, found out by the first registration.
   */
  readonly form?: RecordForm
}

export interface RendezvousRegisterOptions extends AbortOptions {
  /** How long the registration lasts, ms: 60,000 to 259,200,000. Default: as the rendezvous point has it; 7,200,000 by the specification. */
  readonly ttl?: number
}

export interface RendezvousDiscoverOptions extends AbortOptions {
  /** The most peers of a page: 0 to 1000. Default: as the rendezvous point has it. */
  readonly limit?: number
  /** The cookie of the page before. */
  readonly cookie?: Uint8Array
}

const OPTIONS: ModuleOptions<RendezvousClientInit> = {
  example: '{ privateKey }',
  table: {
    privateKey: objectWith(['sign', 'publicKey'], "a libp2p private key: await generateKeyPair('Ed25519')"),
    timeout,
    form: oneOf('standard', 'routing-state'),
  },
  otherNames: { key: 'privateKey', identity: 'privateKey' },
}

const REGISTER: ModuleOptions<RendezvousRegisterOptions> = {
  example: '{ ttl: 3_600_000 }',
  table: { ttl: number({ min: MIN_TTL_MS, max: MAX_TTL_MS, unit: 'ms', example: DEFAULT_TTL_MS }), signal },
}

const DISCOVER: ModuleOptions<RendezvousDiscoverOptions> = {
  example: '{ limit: 20 }',
  table: {
    limit: number({ min: 0, max: MAX_LIMIT, example: 20 }),
    cookie: objectWith(['byteLength'], 'the cookie of the page before, a Uint8Array'),
    signal,
  },
}

/** Throws a TypeError unless these are arguments of `new RendezvousClient`. */
export function checkRendezvousClient(dialer: unknown, point: unknown, init: RendezvousClientInit): void {
  const module = 'RendezvousClient'
  checkArgument(module, 'the first argument', dialer, libp2pWith('dialProtocol'))
  checkArgument(module, 'point', point, peerMultiaddr)
  checkOptions(module, init, OPTIONS)
}

/** Throws a TypeError unless these are options of `register`. */
export function checkRegister(options: RendezvousRegisterOptions): void {
  checkOptions('RendezvousClient.register', options, REGISTER)
}

/** Throws a TypeError unless these are options of `discover`. */
export function checkDiscover(options: RendezvousDiscoverOptions): void {
  checkOptions('RendezvousClient.discover', options, DISCOVER)
}
