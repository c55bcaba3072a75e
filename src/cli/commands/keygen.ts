import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createIdentity } from '../../identity/key-file.ts'
import type { Invocation } from '../command.ts'
import { resolveConfig } from '../config/sources.ts'
import { prepareDataDirectory } from '../data-directory.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { chosenFormat } from '../identity-format-option.ts'

/** Creates a key in a file that must not exist yet. */
export async function run({ flags, options }: Invocation): Promise<ExitCode> {
  const format = chosenFormat('format', options) ?? 'protobuf'
  const resolved = resolveConfig({ flags, env: process.env, file: options.get('config') })
  await prepareDataDirectory(resolved)
  const { config } = resolved
  const key = await createIdentity(config.key, { format })
  const peerId = peerIdFromPrivateKey(key).toString()
  const json = { peerId, type: key.type, key: config.key, format }
  process.stdout.write(options.has('json') ? `${JSON.stringify(json)}\n` : `${peerId}\nwritten to ${config.key}\n`)
  return EXIT.ok
}
