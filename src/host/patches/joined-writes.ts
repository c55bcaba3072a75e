import { Socket } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'

/**
 * Joins the small writes of one turn of the event loop into one system call.
 *
 * Patches @libp2p/tcp 11.0.28, which writes each buffer of a list by itself, while multistream, Noise and yamux write
 * headers apart from bodies: 28 writes and packets for one join. The socket is corked at the first write and uncorked when
 * the running code and its promises are done, so no write waits for a timer. Bytes and their order stay the same.
 *
 * Upstream: no report found for TCP. Noise joined its length prefix with its message for the same reason:
 * https://github.com/ChainSafe/js-libp2p-noise/pull/387. It can go when `test/host/patches/still-needed.test.ts` "one turn
 * writes to a socket several times" fails.
 */
export function joinWrites(socket: Socket): void {
  const write = socket.write
  let corked = false
  const release = () => {
    corked = false
    socket.uncork()
  }
  socket.write = function (this: Socket, ...args: Parameters<Socket['write']>) {
    if (!corked && !socket.destroyed) {
      corked = true
      socket.cork()
      process.nextTick(release)
    }
    return write.apply(this, args)
  } as Socket['write']
}

/** Joins the writes of a socket that libp2p has just accepted, if it is one. */
export function joinWritesOf(connection: MultiaddrConnection): void {
  if ('socket' in connection && connection.socket instanceof Socket) {
    joinWrites(connection.socket)
  }
}
