import { dirname, join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { RendezvousClient } from '../src/client/rendezvous-client.ts'
import { startLines } from './process.ts'
import { type Command, GO_TARGET, type Language } from './toolchains.ts'

export const START_TIMEOUT_MS = 60_000
export const COMMAND_TIMEOUT_MS = 30_000

/** A rendezvous client on another stack, driven by lines. */
export interface RendezvousProgram {
  readonly peerId: string
  readonly address: string
  // biome-ignore lint/suspicious/noExplicitAny: the cells say what they expect of it
  do(command: string, timeout?: number): Promise<any>
  stop(): Promise<void>
}

/** The program with the rendezvous client of a stack, beside the stack's `/bootstrap/1.0.0` client. */
export function rendezvousCommand(language: Language, client: Command): Command {
  switch (language) {
    case 'go':
      return [join(GO_TARGET, 'rendezvous')]
    case 'rust':
      return [join(dirname(client[0]), 'rendezvous-client')]
    case 'python':
      return [client[0], join(import.meta.dirname, 'python', 'rendezvous_client.py')]
  }
}

export async function startRendezvous(
  scope: AsyncDisposableStack,
  command: Command,
  bootstrap: string,
): Promise<RendezvousProgram> {
  const [program, ...args] = command
  const lines = startLines(program, [...args, bootstrap])
  const stop = async () => void (await lines.end())
  scope.defer(stop)
  let at = 0
  const next = async (timeout: number) => JSON.parse(await lines.line(at++, timeout))
  const { peerId, address } = await next(START_TIMEOUT_MS)
  return {
    peerId,
    address,
    async do(command, timeout = COMMAND_TIMEOUT_MS) {
      lines.tell(command)
      return await next(timeout)
    },
    stop,
  }
}

/** Our client in this process, on js-libp2p, which has none of its own. */
export async function startJsRendezvous(scope: AsyncDisposableStack, point: string) {
  const privateKey = await generateKeyPair('Ed25519')
  const libp2p = await createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  scope.defer(async () => libp2p.stop())
  const own = libp2p.getMultiaddrs()[0]!.toString()
  return { own, address: own.replace(/\/p2p\/.*/, ''), client: new RendezvousClient(libp2p, point, { privateKey }) }
}
