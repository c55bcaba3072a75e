import type { Libp2p } from 'libp2p'
import { BootstrapClient } from '../../client/bootstrap-client.ts'
import { BootstrapError } from '../../client/bootstrap-error.ts'
import { remoteText } from '../../log-text.ts'
import { MAX_LIMIT } from '../../wire/bootstrap-codec.ts'
import type { Invocation } from '../arguments.ts'
import { startClientNode, typedBootstraps, wholeNumber } from '../client-node.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { table } from '../table.ts'

interface ListedPeer {
  readonly peerId: string
  readonly addresses: Set<string>
  /** PeerIds of the bootstraps that hand it out. */
  readonly namedBy: string[]
}

/** Whom bootstraps hand out, merged. Fails only when none of them answers. */
export async function run({ options, operands }: Invocation): Promise<ExitCode> {
  const bootstraps = await typedBootstraps(operands)
  const limit = wholeNumber(options, 'limit', { min: 0, max: MAX_LIMIT })
  const node = await startClientNode(new Map())
  const peers = new Map<string, ListedPeer>()
  const failures: BootstrapError[] = []
  try {
    await Promise.all(
      [...bootstraps].map(async ([id, addresses]) => {
        try {
          await ask(node, id, addresses, { network: options.get('network') ?? '', limit }, peers)
        } catch (error) {
          if (!(error instanceof BootstrapError)) {
            throw error
          }
          failures.push(error)
        }
      }),
    )
  } finally {
    await node.stop()
  }
  for (const { bootstrap, message } of failures) {
    process.stderr.write(`bootstrap-peer: ${bootstrap} gave no answer: ${remoteText(message)}\n`)
  }
  process.stdout.write(options.has('json') ? json(peers, failures) : text(peers, bootstraps.size))
  return failures.length === bootstraps.size ? EXIT.bootstrap : EXIT.ok
}

async function ask(
  node: Libp2p,
  id: string,
  addresses: readonly string[],
  { network, limit }: { readonly network: string; readonly limit: number | undefined },
  peers: Map<string, ListedPeer>,
): Promise<void> {
  const client = new BootstrapClient(node, addresses, { network })
  const answer = await client.discover(limit === undefined ? {} : { limit })
  for (const peer of answer.peers) {
    const known = peers.get(peer.id) ?? { peerId: peer.id, addresses: new Set(), namedBy: [] }
    peers.set(peer.id, known)
    known.namedBy.push(id)
    for (const address of peer.addresses) {
      known.addresses.add(address.text)
    }
  }
}

function json(peers: ReadonlyMap<string, ListedPeer>, failures: readonly BootstrapError[]): string {
  const list = [...peers.values()].map(({ addresses, ...rest }) => ({ ...rest, addresses: [...addresses] }))
  const errors = failures.map(({ bootstrap, code, message }) => ({ bootstrap, code, message }))
  return `${JSON.stringify({ peers: list, errors })}\n`
}

function text(peers: ReadonlyMap<string, ListedPeer>, bootstraps: number): string {
  const rows = [...peers.values()].map(({ peerId, addresses, namedBy }) => [
    peerId,
    `${namedBy.length} of ${bootstraps}`,
    [...addresses].join(' '),
  ])
  return rows.length === 0 ? 'nobody is listed\n' : table([['PEER', 'NAMED BY', 'ADDRESSES'], ...rows])
}
