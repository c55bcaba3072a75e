// The options of `peerKeeper`: their kinds and defaults.

import type { ComponentLogger, Libp2pEvents, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, ConnectionManager } from '@libp2p/interface-internal'
import { checkOptions, type ModuleOptions, path } from '../../base/option-kinds.ts'
import type { Random } from '../../base/random.ts'
import { TARGET } from '../keeper-link.ts'
import type { Scheduler } from '../scheduler.ts'
import { interval, random, scheduler, target } from '../shared-options.ts'

/** How often a connection is asked whether it lives, ms. Gossip notices sooner; NATs forget idle ones after minutes. */
export const PING_INTERVAL_MS = 60_000

export interface PeerKeeperInit {
  /** How many peers to be connected to: 1 to 1000. Default {@link TARGET}. */
  readonly target?: number
  /** A file for the peers that were connected longest: they are dialled first after a restart. Default: none. */
  readonly anchors?: string
  /** How often a connection is asked whether it lives, ms: 1000 to 86,400,000. Default {@link PING_INTERVAL_MS}. */
  readonly pingInterval?: number
  /** For tests: the time. Default: the system's. */
  readonly scheduler?: Scheduler
  /** For tests: numbers from 0 to 1. Default: the system's. */
  readonly random?: Random
}

const OPTIONS: ModuleOptions<PeerKeeperInit> = {
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

/** Throws a TypeError unless `peerKeeper` can do with these options. */
export function checkKeeperInit(init: PeerKeeperInit): void {
  checkOptions('peerKeeper', init, OPTIONS)
}

/** What it uses of the node it runs in. */
export interface PeerKeeperComponents {
  readonly peerId: PeerId
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

/** A peer that the keeper holds. */
export interface KeptPeer {
  /** base58btc. */
  readonly id: string
  /** Since when, ms since the epoch. */
  readonly since: number
  /** Who named it: PeerIds of bootstraps; `cache` and `inbound`, an earlier run that dialled it, or was dialled by it. */
  readonly sources: readonly string[]
}
