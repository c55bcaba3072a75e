import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { loadIdentity } from '../../identity/key-file.ts'
import { encodeIdentity, type IdentityFormat, IdentityFormatError } from '../../identity/key-formats.ts'
import type { Invocation } from '../command.ts'
import { resolveConfig } from '../config/sources.ts'
import { CommandError, EXIT, type ExitCode } from '../exit-codes.ts'
import { chosenFormat } from '../identity-format-option.ts'

/** Prints the PeerId of the key; with `--export`, the private key itself. */
export async function run({ flags, options }: Invocation): Promise<ExitCode> {
  const format = chosenFormat('export', options)
  if (format !== undefined && options.has('json')) {
    throw new CommandError(EXIT.usage, '--export prints the key itself: leave --json out')
  }
  const { config } = resolveConfig({ flags, env: process.env, file: options.get('config') })
  const key = await loadIdentity(config.key, { allowLooseMode: config.allowLooseKeyMode })
  process.stdout.write(
    format !== undefined ? exported(key, format) : options.has('json') ? describe(key, config.key) : `${idOf(key)}\n`,
  )
  return EXIT.ok
}

function exported(key: PrivateKey, format: IdentityFormat): Uint8Array {
  if (format === 'protobuf' && process.stdout.isTTY) {
    throw new CommandError(EXIT.usage, 'protobuf is binary, not for a terminal; send it into a file: > identity.key')
  }
  try {
    return encodeIdentity(key, format)
  } catch (error) {
    throw error instanceof IdentityFormatError ? new CommandError(EXIT.usage, error.message) : error
  }
}

function describe(key: PrivateKey, file: string): string {
  const publicKey = Buffer.from(publicKeyToProtobuf(key.publicKey)).toString('base64')
  return `${JSON.stringify({ peerId: idOf(key), type: key.type, publicKey, key: file })}\n`
}

function idOf(key: PrivateKey): string {
  return peerIdFromPrivateKey(key).toString()
}
