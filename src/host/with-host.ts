// Merges the options of a guarded node with your own options of libp2p.

import { type Identify, identify } from '@libp2p/identify'
import type { ServiceMap } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import { checkOptions } from '../base/option-kinds.ts'
import { bothDeny } from './both-deny.ts'
import type { GuardService } from './guard/guard-service.ts'
import { HOST_OPTIONS, type HostInit, type HostSettings, hostSettings } from './host-init.ts'
import { hostOptions } from './libp2p.ts'

/** The options of libp2p that are yours beside a guard: all but those that the guard is built on. */
export type OwnOptions<T extends ServiceMap = ServiceMap> = Omit<
  Libp2pOptions<T>,
  'transports' | 'streamMuxers' | 'connectionEncrypters' | 'connectionProtector'
>

/** The services of a guarded node: your own, and those that it has besides. */
export type HostServices<T extends ServiceMap = ServiceMap> = T &
  Omit<{ readonly identify: Identify; readonly ping: Ping }, keyof T> & { readonly guard: GuardService }

/**
 * Returns your options of libp2p with those of a guarded public node: its limits, and the guard for what no option limits.
 *
 * ```ts
 * const node = await createLibp2p(
 *   withHost({
 *     addresses: { listen: ['/ip4/0.0.0.0/tcp/4000'] },
 *     services: { bootstrap: bootstrapService({ file: 'peers.json' }) },
 *   }),
 * )
 * ```
 *
 * Yours are kept, and win where both name a limit. Both connection gaters are asked. `services` gets `guard`, and
 * `identify` and `ping` unless yours has them. For one `createLibp2p`: call it for each node.
 *
 * Throws a TypeError for options that the guard could not limit ({@link OwnOptions} leaves them out), for a service with the
 * name `guard`, for limits of inbound connections, which are the guard's, and for a member of `init` that is wrong.
 */
export function withHost<T extends ServiceMap = ServiceMap>(
  options: OwnOptions<T> = {},
  init: HostInit = {},
): Libp2pOptions<HostServices<T>> {
  checkOptions('withHost', init, HOST_OPTIONS)
  assertGuardable(options as Libp2pOptions)
  return merged(options, hostSettings(init))
}

/** {@link withHost} for what was checked before. */
export function merged<T extends ServiceMap>(
  options: OwnOptions<T>,
  settings: HostSettings,
): Libp2pOptions<HostServices<T>> {
  const host = hostOptions(settings)
  const { connectionGater, connectionManager, connectionMonitor, peerStore, services, ...others } = given(options)
  return {
    ...others,
    transports: host.transports,
    connectionEncrypters: host.connectionEncrypters,
    streamMuxers: host.streamMuxers,
    connectionGater:
      connectionGater === undefined ? host.connectionGater : bothDeny(host.connectionGater, connectionGater),
    connectionMonitor: connectionMonitor ?? host.connectionMonitor,
    connectionManager: { ...host.connectionManager, ...given(connectionManager) },
    peerStore: { ...host.peerStore, ...given(peerStore) },
    services: { identify: identify(), ping: ping(), ...given(services), ...host.services } as ServiceFactoryMap<
      HostServices<T>
    >,
  }
}

/** Without the members that are undefined: those count as left out. */
function given<Options extends object>(options: Options | undefined): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<Options>
}

function assertGuardable(options: Libp2pOptions): void {
  for (const name of Object.keys(BUILT_ON) as Array<keyof typeof BUILT_ON>) {
    if (options[name] !== undefined) {
      throw new TypeError(`withHost: ${name} cannot be yours; ${BUILT_ON[name]}. ${INSTEAD}`)
    }
  }
  for (const name of COUNTED_BY_GUARD) {
    if (options.connectionManager?.[name] !== undefined) {
      throw new TypeError(
        `withHost: connectionManager.${name} has no effect beside the guard, which counts and limits inbound connections; ` +
          'write withHost(options, { maxConnections }), or leave it out',
      )
    }
  }
  if (options.services !== undefined && Object.hasOwn(options.services, 'guard')) {
    throw new TypeError('withHost: services.guard is the name of its own guard; give your service another name')
  }
}

const GUARDED = 'the guard limits connections of TCP, Noise and yamux, and one of another kind would be without limits'

/** The options that are the guard's, each with the reason. */
const BUILT_ON = {
  transports: GUARDED,
  streamMuxers: GUARDED,
  connectionEncrypters: GUARDED,
  connectionProtector: `${GUARDED}; nor could the bootstrap dial back to peers of a private network`,
} as const satisfies Partial<Record<keyof Libp2pOptions, string>>
const INSTEAD =
  'Leave it out, or give createLibp2p your options without withHost and limit what remote peers can cost yourself'

const COUNTED_BY_GUARD = [
  'maxConnections',
  'allow',
  'inboundConnectionThreshold',
  'maxIncomingPendingConnections',
] as const satisfies ReadonlyArray<keyof NonNullable<Libp2pOptions['connectionManager']>>
