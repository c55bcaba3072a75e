import { byteStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'

/** Sends one request and returns its answer: all there is to the protocol. */
export async function exchange(node, bootstrap, request) {
  const signal = AbortSignal.timeout(15_000)
  const stream = await node.dialProtocol(multiaddr(bootstrap), '/bootstrap/1.0.0', { signal })
  stream.send(new TextEncoder().encode(`${JSON.stringify(request)}\n`))
  await stream.close({ signal }) // our side only
  const bytes = byteStream(stream)
  const chunks = []
  for (let chunk = await bytes.read({ signal }); chunk !== null; chunk = await bytes.read({ signal })) {
    chunks.push(chunk.subarray())
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}
