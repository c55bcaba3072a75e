// The command `join`: a peer that registers and stays connected, shown live on a terminal.

import type { Libp2p } from 'libp2p'
import { remoteText } from '../../base/remote-text.ts'
import { peerIdOf } from '../../client/bootstrap-address.ts'
import { MAX_BOOTSTRAPS } from '../../client/discovery/bootstrap-list.ts'
import { bootstrapDiscovery } from '../../client/discovery/discovery.ts'
import type { DiscoveryEvent } from '../../client/discovery/discovery-events.ts'
import { type ResolveTxt, systemResolveTxt } from '../../client/discovery/dnsaddr.ts'
import { peerKeeper } from '../../client/keeper/peer-keeper.ts'
import { checkedBootstraps, localNode } from '../chosen-bootstraps.ts'
import { clientConfig, networkToJoin } from '../client-config.ts'
import { startClientNode, wholeNumber } from '../client-node.ts'
import type { Invocation } from '../command.ts'
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts'
import { componentLoggers, createLogger, isTerminal } from '../logger.ts'
import { stopSignal } from '../stop-signals.ts'
import { liveView } from './join-view.ts'

/** What the screen shows of the discovery. */
interface Shown {
  /**
   * The last event of each bootstrap, by PeerId: they come and go with every request, and are no peers of the network.
   */
  readonly bootstraps: Map<string, string>
  /** A problem that is not one bootstrap's, until one answers. */
  warning: string | undefined
}

const ASKED = 'being asked …'

/** How often the screen is redrawn, ms. */
const REDRAW_MS = 500

/** Runs a peer until a signal stops it: a live view on a terminal, one JSON object a line elsewhere. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { options, operands } = invocation
  const config = clientConfig(invocation)
  const network = networkToJoin(config)
  const target = wholeNumber(options, 'target', { min: 1, max: 1000 })
  const cache = options.get('cache')
  if (cache === '') {
    throw new CommandError(EXIT.usage, '--cache is empty; write the path of a file, such as --cache peers-cache.json')
  }
  const sources = operands.length > 0 ? operands : [...(await localNode(config, 'join')), ...config.sibling]
  const bootstraps = new Map([...checkedBootstraps(sources).keys()].map((id) => [id, ASKED]))
  const shown: Shown = { bootstraps, warning: undefined }
  const log = createLogger(config.logLevel)
  const signalled = stopSignal()
  const onEvent = (event: DiscoveryEvent) => {
    if ('bootstrap' in event) {
      bootstraps.set(event.bootstrap, lineOf(event))
    }
    if (event.type === 'answer' || event.type === 'warning') {
      shown.warning = event.type === 'warning' ? remoteText(event.message) : undefined
    }
    if (!isTerminal()) {
      const { type, ...rest } = event
      const error = 'error' in rest ? { error: rest.error?.code } : {}
      const retryIn = 'retryIn' in rest ? { retryIn: Math.round(rest.retryIn) } : {}
      log.info({ ...rest, ...error, ...retryIn }, type)
    }
  }
  // Resolved by the discovery and not before, so that a slow or dead name delays no other bootstrap.
  const resolveTxt: ResolveTxt = async (name, signal) => {
    const records = await systemResolveTxt(name, signal)
    for (const id of records.slice(0, MAX_BOOTSTRAPS).flatMap((record) => peerIdOf(record.trim()) ?? [])) {
      bootstraps.set(id, bootstraps.get(id) ?? ASKED)
    }
    return records
  }
  const node = await startClientNode(options, bootstraps.keys(), {
    ...(log.isLevelEnabled('debug') && !isTerminal() ? { logger: componentLoggers(log) } : {}),
    peerDiscovery: [
      bootstrapDiscovery({
        bootstraps: sources,
        network,
        ...(cache === undefined ? {} : { cache }),
        resolveTxt,
        onEvent,
      }),
    ],
    services: { peers: peerKeeper(target === undefined ? {} : { target }) },
  })
  const stopShowing = isTerminal() ? showLive(node, shown) : logPeers(node, bootstraps, log)
  await signalled
  stopShowing()
  await node.stop()
  return EXIT.ok
}

function showLive(node: Libp2p, shown: Shown): () => void {
  const draw = () => {
    const { bootstraps, warning } = shown
    const connections = node.getConnections().filter(({ remotePeer }) => !bootstraps.has(remotePeer.toString()))
    const peers = connections.map(({ remotePeer, remoteAddr, timeline }) => ({
      id: remotePeer.toString(),
      address: remoteText(remoteAddr.toString().replace(/\/p2p\/.*/, '')),
      since: timeline.open,
    }))
    const multiaddrs = node.getMultiaddrs().map(String)
    const view = liveView({ peerId: node.peerId.toString(), multiaddrs, bootstraps, warning, peers, now: Date.now() })
    process.stdout.write(`${CLEAR}${view}\n`)
  }
  draw()
  const timer = setInterval(draw, REDRAW_MS)
  return () => clearInterval(timer)
}

/** Moves the cursor to the corner and clears below it: unlike clearing the screen first, it does not flicker. */
const CLEAR = '\u001b[H\u001b[J'

function logPeers(node: Libp2p, bootstraps: Shown['bootstraps'], log: ReturnType<typeof createLogger>): () => void {
  const ready = { peerId: node.peerId.toString(), multiaddrs: node.getMultiaddrs().map(String) }
  // As that of `start`: at every level but `silent`.
  log.child({}, log.level === 'silent' ? {} : { level: 'info' }).info(ready, 'ready')
  const tell = (msg: string, peer: string) => bootstraps.has(peer) || log.info({ peer }, msg)
  // Those that connected while the node started.
  for (const peer of node.getPeers()) {
    tell('connected', peer.toString())
  }
  node.addEventListener('peer:connect', ({ detail }) => tell('connected', detail.toString()))
  node.addEventListener('peer:disconnect', ({ detail }) => tell('disconnected', detail.toString()))
  return () => log.info('stopping')
}

/** The last event of a bootstrap, in one line that is safe to print. */
function lineOf(event: Extract<DiscoveryEvent, { readonly bootstrap: string }>): string {
  switch (event.type) {
    case 'answer':
      return `answers; lists ${event.peers} other peers${event.listed ? ' and this node' : ''}`
    case 'outcomes':
      return event.registrations
        .map(({ address, status, message }) => `${remoteText(address)} is ${status}: ${remoteText(message)}`)
        .join('; ')
    case 'failure':
      return `${remoteText(event.error.message)}; tried again in ${Math.ceil(event.retryIn / 1000)} s`
    case 'learned':
      return 'a sibling that another one named'
    case 'unregistered':
      return event.error === undefined ? 'no longer lists this node' : remoteText(event.error.message)
  }
}
