import { once } from 'node:events'
import { createServer } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { type BootstrapPeer, type BootstrapPeerInit, createBootstrapPeer } from '../../src/index.ts'
import { anyPeerId } from './known-peers.ts'
import type { Scope } from './last-first.ts'

/** A bootstrap in process with its default settings, on a free port of loopback. */
export async function startBootstrap(scope: Scope, init: BootstrapPeerInit = {}): Promise<BootstrapPeer> {
  const bootstrap = createBootstrapPeer(init)
  await bootstrap.start()
  scope.after(() => bootstrap.stop())
  return bootstrap
}

/** Two bootstraps of one operator, each of which names the other. */
export async function startSiblings(scope: Scope): Promise<[BootstrapPeer, BootstrapPeer]> {
  const keys = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
  const [one, two] = await Promise.all(keys.map((key) => addressFor(key)))
  const start = (privateKey: PrivateKey, own: string, sibling: string) =>
    startBootstrap(scope, { privateKey, listen: [own.replace(/\/p2p\/.*/, '')], siblings: [sibling] })
  return await Promise.all([start(keys[0]!, one!, two!), start(keys[1]!, two!, one!)])
}

/** Where a bootstrap will be found: at a port that is free now. */
async function addressFor(privateKey: PrivateKey): Promise<string> {
  const bootstrap = createBootstrapPeer({ privateKey })
  await bootstrap.start()
  const [address] = bootstrap.multiaddrs
  await bootstrap.stop()
  return address!
}

/** The address of a bootstrap that is not there: nothing listens at its port. */
export async function deadBootstrap(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return `/ip4/127.0.0.1/tcp/${port}/p2p/${anyPeerId()}`
}
