// The settings of a node that `list`, `check` and `join` use, too.

import type { Invocation } from './command.ts'
import type { Config } from './config/settings.ts'
import { resolveConfig } from './config/sources.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/**
 * The most networks that one command asks for. Each costs a request, and in `check` a dial-back. A bootstrap makes 32 of
 * those for one IP at a time.
 */
const MAX_NETWORKS = 8

/**
 * The settings from flags, variables and the config file, as for `start`. A command ignores those that it does not
 * use.
 */
export function clientConfig({ flags, options }: Invocation): Config {
  return resolveConfig({ flags, env: process.env, file: options.get('config') }).config
}

/** The networks to ask for; the one without a name where none is configured. */
export function networksToAsk({ network }: Config): readonly string[] {
  if (network.length > MAX_NETWORKS) {
    throw new CommandError(
      EXIT.usage,
      `the configuration has ${network.length} networks; name up to ${MAX_NETWORKS} to ask for: --network <name>`,
    )
  }
  return network.length === 0 ? [''] : network
}

/** The network to join. */
export function networkToJoin({ network }: Config): string {
  if (network.length > 1) {
    throw new CommandError(
      EXIT.usage,
      `join is in one network, the configuration has ${network.length}; name one: --network ${network.find(Boolean)}`,
    )
  }
  return network[0] ?? ''
}

/** The name of a network, for a sentence. */
export function networkText(network: string): string {
  return network === '' ? 'the network without a name' : `network ${JSON.stringify(network)}`
}
