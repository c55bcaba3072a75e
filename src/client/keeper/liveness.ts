import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'

const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const PING_BYTES = 32

/**
 * Rejects when the peer no longer answers. One that does not speak the ping protocol has answered all the same, by saying
 * so.
 */
export async function assertAlive(connection: Connection, signal: AbortSignal): Promise<void> {
  let stream: Stream | undefined
  try {
    stream = await connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
    const bytes = byteStream(stream)
    const sent = randomBytes(PING_BYTES)
    await bytes.write(sent, { signal })
    const echo = await bytes.read({ bytes: PING_BYTES, signal })
    if (!sent.equals(echo.subarray())) {
      throw new Error('the peer echoed something else')
    }
    await stream.close({ signal })
  } catch (err) {
    stream?.abort(err instanceof Error ? err : new Error(String(err)))
    if (!(err instanceof Error && err.name === 'UnsupportedProtocolError')) {
      throw err
    }
  }
}
