import { createConnection, createServer, type Socket } from 'node:net'

/** One way through the wire, in ms since the connection was begun, and who spoke. */
export interface Flight {
  readonly from: 'caller' | 'listener'
  /** When its first byte was sent, and how many there were. */
  readonly sentAt: number
  bytes: number
}

export interface DelayingProxy {
  readonly port: number
  /** What went over each connection, in order; bytes of one side without any of the other between them are one flight. */
  readonly connections: ReadonlyArray<readonly Flight[]>
  close(): Promise<void>
}

/**
 * A TCP port that is so many ms of round-trip time away from another one of this machine. TCP's own handshake costs
 * one round trip as it does on a real network: until then nothing that the caller sends is on its way.
 */
export async function delayingProxy(to: number, roundTrip: number): Promise<DelayingProxy> {
  const connections: Flight[][] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (caller) => {
    const begun = performance.now()
    const flights: Flight[] = []
    connections.push(flights)
    const listener = createConnection({ port: to, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const note = (from: Flight['from'], sentAt: number, bytes: number) => {
      const last = flights.at(-1)
      if (last?.from === from) {
        last.bytes += bytes
      } else {
        flights.push({ from, sentAt: Math.round(sentAt - begun), bytes })
      }
    }
    carry(caller, listener, roundTrip / 2, begun + roundTrip, (at, bytes) => note('caller', at, bytes))
    carry(listener, caller, roundTrip / 2, begun, (at, bytes) => note('listener', at, bytes))
    for (const socket of [caller, listener]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections,
    async close() {
      for (const socket of sockets) {
        socket.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Everything from one socket to the other, so many ms later, and nothing sent before a time. */
function carry(
  from: Socket,
  to: Socket,
  delay: number,
  earliest: number,
  note: (at: number, bytes: number) => void,
): void {
  const later = (task: () => void): number => {
    const sentAt = Math.max(performance.now(), earliest)
    setTimeout(task, sentAt + delay - performance.now())
    return sentAt
  }
  from.on('data', (chunk) =>
    note(
      later(() => to.writable && to.write(chunk)),
      chunk.length,
    ),
  )
  from.on('end', () => later(() => to.end()))
  from.on('error', () => later(() => to.destroy()))
  from.on('close', () => later(() => to.destroy()))
}
