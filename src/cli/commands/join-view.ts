import { table } from '../table.ts'

/** What `join` shows on a terminal. */
export interface LiveState {
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  /** One line for each bootstrap, by PeerId. */
  readonly bootstraps: ReadonlyMap<string, string>
  /** A problem that belongs to no single bootstrap, such as a name that does not resolve. */
  readonly warning: string | undefined
  /** Connected peers: PeerId, address, and since when, ms. */
  readonly peers: ReadonlyArray<{ readonly id: string; readonly address: string; readonly since: number }>
  readonly now: number
}

/** The whole screen. Text from remote peers must be escaped already. */
export function liveView({ peerId, multiaddrs, bootstraps, warning, peers, now }: LiveState): string {
  const rows = peers.map(({ id, address, since }) => [id, address, elapsed(now - since)])
  return [
    `PeerId ${peerId}`,
    ...multiaddrs.map((each) => `  ${each}`),
    '',
    'Bootstraps',
    ...[...bootstraps].map(([id, line]) => `  …${id.slice(-8)}  ${line}`),
    ...(warning === undefined ? [] : [`  ${warning}`]),
    '',
    peers.length === 0 ? 'Connected to no peer yet' : `Connected to ${peers.length}`,
    ...(rows.length === 0 ? [] : [table([['PEER', 'ADDRESS', 'FOR'], ...rows])]),
    'Ctrl-C unregisters this node and exits.',
  ].join('\n')
}

function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return seconds < 60
    ? `${seconds} s`
    : seconds < 3600
      ? `${Math.floor(seconds / 60)} min`
      : `${Math.floor(seconds / 3600)} h`
}
