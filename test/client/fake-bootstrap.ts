import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import type { Libp2p } from 'libp2p'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'
import { startPeer } from '../support/peers.ts'

/** What a node that only looks like a bootstrap says to a request; undefined keeps silent for ever. */
export type Script = (request: Record<string, unknown>) => string | undefined | Promise<string | undefined>

/** A real libp2p node that speaks the protocol and answers what the test wants. */
export async function startFakeBootstrap(script: Script): Promise<Libp2p> {
  const node = await startPeer()
  await node.handle(BOOTSTRAP_PROTOCOL, async (stream: Stream) => {
    const signal = AbortSignal.timeout(30_000)
    const bytes = byteStream(stream)
    let request = ''
    for (let chunk = await bytes.read({ signal }); chunk !== null; chunk = await bytes.read({ signal })) {
      request += Buffer.from(chunk.subarray()).toString()
    }
    const answer = await script(JSON.parse(request))
    if (answer !== undefined) {
      stream.send(Buffer.from(answer))
      await stream.close({ signal })
    }
  })
  return node
}
