// The command `list`: asks bootstraps for their peers and prints them, merged.

import type { Libp2p } from 'libp2p'
import { stringifyHarmless } from '../../base/harmless-json.ts'
import { remoteText } from '../../base/remote-text.ts'
import { BootstrapClient } from '../../client/bootstrap-client.ts'
import { BootstrapError } from '../../client/bootstrap-error.ts'
import { MAX_LIMIT } from '../../peer/limits.ts'
import { chosenBootstraps } from '../chosen-bootstraps.ts'
import { clientConfig, networksToAsk, networkText } from '../client-config.ts'
import { startClientNode, wholeNumber } from '../client-node.ts'
import type { Invocation } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { table } from '../table.ts'

interface ListedPeer {
  readonly peerId: string
  readonly network: string
  readonly addresses: Set<string>
  /** PeerIds of the bootstraps that list it. */
  readonly namedBy: string[]
}

/** A bootstrap that did not answer: its PeerId, or the name that resolved to none. */
interface Failure {
  readonly bootstrap: string
  readonly code: string
  readonly message: string
}

/** The peers that bootstraps list, merged. Fails only when none of them answers. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { options, operands } = invocation
  const config = clientConfig(invocation)
  const networks = networksToAsk(config)
  const limit = wholeNumber(options, 'limit', { min: 0, max: MAX_LIMIT })
  const chosen = await chosenBootstraps(operands, config, 'list')
  const node = await startClientNode(new Map(), [])
  const peers = new Map<string, ListedPeer>()
  const failures = chosen.lost.map(({ address, ...why }): Failure => ({ bootstrap: address, ...why }))
  const asking = [...chosen.found].map(async ([id, addresses]) => {
    failures.push(...(await ask(node, id, addresses, { networks, limit }, peers)))
  })
  try {
    await Promise.all(asking)
  } finally {
    await node.stop()
  }
  const hint = chosen.local ? '; see what is wrong: bootstrap-peer check' : ''
  for (const { bootstrap, message } of failures) {
    process.stderr.write(`bootstrap-peer: ${bootstrap} gave no answer: ${remoteText(message)}${hint}\n`)
  }
  const asked = chosen.found.size + chosen.lost.length
  const answered = asked > failures.length
  if (options.has('json')) {
    process.stdout.write(json(peers, failures))
  } else if (answered) {
    process.stdout.write(peers.size === 0 ? none(networks) : text(peers, networks, asked))
  }
  return answered ? EXIT.ok : EXIT.bootstrap
}

/** Adds the peers of one bootstrap; returns the failure, if any. */
async function ask(
  node: Libp2p,
  id: string,
  addresses: readonly string[],
  { networks, limit }: { readonly networks: readonly string[]; readonly limit: number | undefined },
  peers: Map<string, ListedPeer>,
): Promise<Failure[]> {
  try {
    for (const network of networks) {
      const client = new BootstrapClient(node, addresses, { network })
      const answer = await client.discover(limit === undefined ? {} : { limit })
      for (const peer of answer.peers) {
        const key = JSON.stringify([network, peer.id])
        const known = peers.get(key) ?? { peerId: peer.id, network, addresses: new Set(), namedBy: [] }
        peers.set(key, known)
        known.namedBy.push(id)
        for (const address of peer.addresses) {
          known.addresses.add(address.text)
        }
      }
    }
    return []
  } catch (error) {
    if (!(error instanceof BootstrapError)) {
      throw error
    }
    const { bootstrap, code, message } = error
    return [{ bootstrap, code, message }]
  }
}

function json(peers: ReadonlyMap<string, ListedPeer>, errors: readonly Failure[]): string {
  const list = [...peers.values()].map(({ addresses, ...rest }) => ({ ...rest, addresses: [...addresses] }))
  return `${stringifyHarmless({ peers: list, errors })}\n`
}

/** Networks have a column only where there are several. */
function text(peers: ReadonlyMap<string, ListedPeer>, networks: readonly string[], bootstraps: number): string {
  const rows = [...peers.values()].map(({ peerId, network, addresses, namedBy }) => [
    network === '' ? '""' : remoteText(network),
    peerId,
    `${namedBy.length} of ${bootstraps}`,
    [...addresses].join(' '),
  ])
  const all = [['NETWORK', 'PEER', 'NAMED BY', 'ADDRESSES'], ...rows]
  return table(networks.length > 1 ? all : all.map((row) => row.slice(1)))
}

function none(networks: readonly string[]): string {
  const hint = networks.join() === '' ? '; another one is asked for with --network <name>' : ''
  return `no peer is listed in ${networks.map(networkText).join(', ')}${hint}\n`
}
