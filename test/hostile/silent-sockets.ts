import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { HonestPeer } from './honest-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { servedWell } from './served.ts'
import type { Victim } from './victim.ts'

const SOCKETS = 1000
const SOURCES = 250
const SECONDS = 6

/** Sockets that say nothing, from many addresses, each replaced as soon as it is closed. Ten lock a stock node. */
export async function silentSockets(victim: Victim, honest: HonestPeer): Promise<Figure[]> {
  const stop = new AbortController()
  const lives: number[] = []
  const port = Number(victim.target.split('/')[4])
  for (let i = 0; i < SOCKETS; i++) {
    keepSilent(port, `127.0.${1 + (i % SOURCES)}.${1 + Math.floor(i / SOURCES)}`, lives, stop.signal)
    if (i % 100 === 99) {
      await delay(20)
    }
  }
  honest.take()
  await delay(SECONDS * 1000)
  const exchanges = honest.take()
  stop.abort()
  return [
    ...servedWell('silent sockets', exchanges, 1000),
    atMost('silent sockets', 'life of a silent socket, most', Math.max(...lives), 3500, 'ms'),
    atLeast('silent sockets', 'sockets', lives.length, SOCKETS),
  ]
}

function keepSilent(port: number, from: string, lives: number[], signal: AbortSignal): void {
  const socket: Socket = connect({ host: '127.0.0.1', port, localAddress: from })
  let since = performance.now()
  const drop = () => socket.destroy()
  signal.addEventListener('abort', drop)
  socket.once('connect', () => {
    since = performance.now()
  })
  socket.on('error', () => {})
  socket.resume()
  socket.once('close', () => {
    signal.removeEventListener('abort', drop)
    if (!signal.aborted) {
      lives.push(performance.now() - since)
      keepSilent(port, from, lives, signal)
    }
  })
}
