import type { Libp2p } from 'libp2p'
import { bootstrapDiscovery } from '../../client/discovery.ts'
import type { DiscoveryEvent } from '../../client/discovery-events.ts'
import { peerKeeper } from '../../client/peer-keeper.ts'
import { remoteText } from '../../log-text.ts'
import type { Invocation } from '../arguments.ts'
import { startClientNode, typedBootstraps, wholeNumber } from '../client-node.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { liveView } from '../live-view.ts'
import { createLogger, isTerminal } from '../logger.ts'
import { stopSignal } from '../stop-signals.ts'

/** What each bootstrap did last, by PeerId: they come and go with every question, and are no peers of the network. */
type Bootstraps = ReadonlyMap<string, string>

/** How often the screen is drawn anew, ms. */
const REDRAW_MS = 500

/** Runs a peer until a signal stops it: a live view on a terminal, one JSON object a line elsewhere. */
export async function run({ options, operands }: Invocation): Promise<ExitCode> {
  const target = wholeNumber(options, 'target', { min: 1, max: 1000 })
  const cache = options.get('cache')
  const bootstraps = new Map([...(await typedBootstraps(operands)).keys()].map((id) => [id, 'being asked …']))
  const log = createLogger('info')
  const signalled = stopSignal()
  const onEvent = (event: DiscoveryEvent) => {
    if ('bootstrap' in event) {
      bootstraps.set(event.bootstrap, lineOf(event))
    }
    if (!isTerminal()) {
      const { type, ...rest } = event
      log.info('error' in rest ? { ...rest, error: rest.error?.code } : rest, type)
    }
  }
  const node = await startClientNode(options, {
    peerDiscovery: [
      bootstrapDiscovery({
        bootstraps: operands,
        network: options.get('network') ?? '',
        ...(cache === undefined ? {} : { cache }),
        onEvent,
      }),
    ],
    services: { peers: peerKeeper(target === undefined ? {} : { target }) },
  })
  const stopShowing = isTerminal() ? showLive(node, bootstraps) : logPeers(node, bootstraps, log)
  await signalled
  stopShowing()
  await node.stop()
  return EXIT.ok
}

function showLive(node: Libp2p, bootstraps: Bootstraps): () => void {
  const draw = () => {
    const connections = node.getConnections().filter(({ remotePeer }) => !bootstraps.has(remotePeer.toString()))
    const peers = connections.map(({ remotePeer, remoteAddr, timeline }) => ({
      id: remotePeer.toString(),
      address: remoteText(remoteAddr.toString().replace(/\/p2p\/.*/, '')),
      since: timeline.open,
    }))
    const multiaddrs = node.getMultiaddrs().map(String)
    const view = liveView({ peerId: node.peerId.toString(), multiaddrs, bootstraps, peers, now: Date.now() })
    process.stdout.write(`${CLEAR}${view}\n`)
  }
  draw()
  const timer = setInterval(draw, REDRAW_MS)
  return () => clearInterval(timer)
}

/** Cursor to the corner, and nothing below it: unlike clearing the screen first, it does not flicker. */
const CLEAR = '\u001b[H\u001b[J'

function logPeers(node: Libp2p, bootstraps: Bootstraps, log: ReturnType<typeof createLogger>): () => void {
  log.info({ peerId: node.peerId.toString(), multiaddrs: node.getMultiaddrs().map(String) }, 'ready')
  const tell = (msg: string, peer: string) => bootstraps.has(peer) || log.info({ peer }, msg)
  node.addEventListener('peer:connect', ({ detail }) => tell('connected', detail.toString()))
  node.addEventListener('peer:disconnect', ({ detail }) => tell('disconnected', detail.toString()))
  return () => log.info('stopping')
}

/** What a bootstrap did last, in one line that is safe to print. */
function lineOf(event: Extract<DiscoveryEvent, { readonly bootstrap: string }>): string {
  switch (event.type) {
    case 'answer':
      return `answers; hands out ${event.peers} others${event.listed ? ' and this node' : ''}`
    case 'verdicts':
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
