// Joins by identities that nobody saw before, a new one for each join. Each does a real Noise handshake; the yamux frames
// are written by hand, because a whole libp2p node for each would cost more than what is measured.
// argv: <multiaddr of the server> <joins a batch>
import { ASKS_BOOTSTRAP, DATA, FIN, frame, rawPeer, SYN, WINDOW_UPDATE } from '../test/support/raw-peer.ts'
import { reportToParent } from './report.ts'

const [, , server = '', batch = '0'] = process.argv
/** Strangers at a time. */
const SIDE_BY_SIDE = 16
/** A port that nobody may register: refused before anybody dials, and the list comes all the same. */
const REQUEST = Buffer.from(`${JSON.stringify({ address: ':22' })}\n`)
const STREAM = 1

reportToParent(server, 0, { batch: () => joins(Number(batch)) })

/** Resolves to how many were answered with a list. */
async function joins(count: number): Promise<number> {
  let left = count
  let answered = 0
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      while (left-- > 0) {
        const handed = await join()
        answered += handed ? 1 : 0
      }
    }),
  )
  return answered
}

/** Whether it was handed a list. */
async function join(): Promise<boolean> {
  const peer = await rawPeer(server)
  const ask = [
    frame(DATA, SYN, STREAM, ASKS_BOOTSTRAP),
    frame(DATA, 0, STREAM, REQUEST),
    frame(WINDOW_UPDATE, FIN, STREAM),
  ]
  peer.send(Buffer.concat(ask))
  await peer.until(() => peer.closed || peer.ended(STREAM) !== 'open')
  const answer = peer.received(STREAM).subarray(ASKS_BOOTSTRAP.length).toString()
  await peer.socket.close()
  return answer.startsWith('[')
}
