import type { Socket } from 'node:net'

/**
 * Joins the small writes of one turn of the event loop into one system call.
 *
 * `@libp2p/tcp` (11.0.28) writes each buffer of a list by itself, and multistream, Noise and yamux write headers apart
 * from bodies: 28 writes and packets for one join. The socket is corked at the first write and uncorked when the
 * running code and its promises are done, so no write waits for a timer. Bytes and their order stay the same.
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
