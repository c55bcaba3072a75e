import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { temporaryFolder } from '../bootstrap-node.ts'
import { type KeyType, PeerError, startClient, startJsPeer } from '../peer.ts'
import type { Report } from '../report.ts'
import { type Command, LANGUAGES, type Language } from '../toolchains.ts'
import { assertListed, assertProved, type Clients } from './membership.ts'

const NETWORK = 'key-types'
const SERVED = ['ed25519', 'secp256k1', 'rsa'] as const satisfies KeyType[]

/** Callers with identities of each type register and are dialled back, as far as their stack makes such identities. */
export async function keyTypes(report: Report, bootstrap: string, clients: Clients): Promise<void> {
  for (const language of LANGUAGES) {
    const command = clients.get(language)
    if (command === undefined) {
      continue
    }
    for (const key of SERVED) {
      await report.try(`${language} with an identity of type ${key}`, () => register(bootstrap, command, language, key))
    }
    const name = `${language} with an identity of type ecdsa fails, as documented`
    if (language === 'python') {
      report.skip(name, 'py-libp2p makes no such identities')
    } else {
      await report.try(name, () => assertEcdsaFails(bootstrap, command))
    }
  }
}

async function register(bootstrap: string, command: Command, language: Language, key: KeyType): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const witness = await startJsPeer(scope, { bootstrap, network: NETWORK })
  const option = language === 'rust' && key === 'rsa' ? `rsa:${await rsaFile(scope)}` : key
  const peer = await startClient(scope, command, { bootstrap, network: NETWORK, key: option })
  assert.equal(peerIdFromString(peer.peerId).type?.toLowerCase(), key)
  await assertProved(peer, NETWORK, witness)
  await assertListed(peer, witness, NETWORK)
}

/**
 * @libp2p/crypto 5.1.23 has its own layout for ECDSA keys, Go and Rust send the PKIX form: the handshake fails. When a
 * release mends that, this fails: take the exception out of docs/protocol.md and of test/integration/manners.test.ts.
 */
async function assertEcdsaFails(bootstrap: string, command: Command): Promise<string> {
  await using scope = new AsyncDisposableStack()
  const started = startClient(scope, command, { bootstrap, network: NETWORK, key: 'ecdsa' })
  const failure: unknown = await started.then(
    () => 'it works now: ECDSA identities can be served and documented like the others',
    (error) => error,
  )
  // Not that it could not be started, or said nothing.
  assert.ok(failure instanceof PeerError, String(failure))
  return failure.message
}

/** rust-libp2p makes no RSA keys, it only reads them. */
async function rsaFile(scope: AsyncDisposableStack): Promise<string> {
  const file = join(await temporaryFolder(scope), 'rsa.der')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'der' }))
  return file
}
