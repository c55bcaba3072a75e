// Which bootstraps `list`, `check` and `join` ask: those that are named, or else the node of this machine.

import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { BootstrapErrorCode } from '../client/bootstrap-error.ts'
import { MAX_BOOTSTRAPS, resolveBootstraps, staticBootstraps } from '../client/discovery/bootstrap-list.ts'
import { systemResolveTxt } from '../client/discovery/dnsaddr.ts'
import { IdentityError, loadIdentity } from '../identity/key-file.ts'
import type { CommandName } from './command.ts'
import type { Config } from './config/settings.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** How long looking up names may take, ms. */
const LOOKUP_TIMEOUT_MS = 10_000

/** The bootstraps that a command asks. */
export interface ChosenBootstraps {
  /** Addresses with `/p2p`, by PeerId. */
  readonly found: ReadonlyMap<string, readonly string[]>
  /** What was typed and resolved to no address. */
  readonly lost: readonly LostBootstrap[]
  /** Whether nothing was typed, so that it is this machine's own node. */
  readonly local: boolean
}

/** A name in place of a bootstrap, and why it resolved to none. */
export interface LostBootstrap {
  readonly address: string
  readonly code: BootstrapErrorCode
  readonly message: string
}

/** The bootstraps that were typed, their names resolved; without any, the node that runs on this machine. */
export async function chosenBootstraps(
  operands: readonly string[],
  config: Config,
  command: CommandName,
): Promise<ChosenBootstraps> {
  if (operands.length === 0) {
    return { found: staticBootstraps(await localNode(config, command)), lost: [], local: true }
  }
  const found = new Map<string, readonly string[]>(checkedBootstraps(operands))
  const lost: LostBootstrap[] = []
  const signal = AbortSignal.timeout(LOOKUP_TIMEOUT_MS)
  const names = operands.filter((each) => each.startsWith('/dnsaddr/'))
  const looked = names.map((name) => resolveBootstraps({ bootstraps: [name] }, systemResolveTxt, signal))
  for (const [i, { found: named, faults }] of (await Promise.all(looked)).entries()) {
    const address = names[i]!
    if (named.size === 0) {
      const message = faults[0]?.replace(address, 'it') ?? 'its records hold no address of a bootstrap'
      lost.push({ address, code: 'name_not_resolved', message })
    }
    for (const [id, addresses] of named) {
      if (found.size < MAX_BOOTSTRAPS || found.has(id)) {
        found.set(id, [...new Set([...(found.get(id) ?? []), ...addresses])])
      }
    }
  }
  return { found, lost, local: false }
}

/** By PeerId, those that need no look-up. Throws a {@link CommandError} for what is not the address of a bootstrap. */
export function checkedBootstraps(operands: readonly string[]): ReadonlyMap<string, readonly string[]> {
  try {
    return staticBootstraps(operands)
  } catch (error) {
    throw new CommandError(EXIT.usage, (error as Error).message)
  }
}

/** The address of this configuration's node, from its own machine. Its key is read, never made. */
export async function localNode(
  { key, allowLooseKeyMode, listen }: Config,
  command: CommandName,
): Promise<readonly string[]> {
  const instead = `name a bootstrap: bootstrap-peer ${command} <multiaddr>`
  const privateKey = await loadIdentity(key, { allowLooseMode: allowLooseKeyMode }).catch((error: unknown) => {
    throw error instanceof IdentityError && error.code === 'missing'
      ? new CommandError(
          EXIT.identity,
          `there is no key ${key}, so no node to ask here; start one: bootstrap-peer start, or ${instead}`,
        )
      : error
  })
  const peerId = peerIdFromPrivateKey(privateKey)
  const fixed = listen.filter((address) => !address.endsWith('/tcp/0'))
  if (fixed.length === 0) {
    throw new CommandError(
      EXIT.usage,
      `the node of this configuration listens on a port that the system chose (${listen.join(', ')}); ${instead}, as its ready line has it`,
    )
  }
  return fixed.map((address) => `${fromHere(address)}/p2p/${peerId}`)
}

/** An address that listens on every interface is dialled at loopback. */
function fromHere(listen: string): string {
  return listen.replace(/^\/ip4\/0\.0\.0\.0\//, '/ip4/127.0.0.1/').replace(/^\/ip6\/[0:]+\//, '/ip6/::1/')
}
