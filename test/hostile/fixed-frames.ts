import { connect } from 'node:net'
import { frame, PING, rawPeer, SYN } from '../support/raw-peer.ts'
import { HOSTILE_FRAMES } from './hostile-frames.ts'
import { HOSTILE_HANDSHAKES } from './hostile-handshakes.ts'
import { PER_KIND, rarest } from './kinds.ts'
import { ANSWER_MS } from './raw-caller.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import type { Victim } from './victim.ts'

/** What one did: the connection goes on (a ping is answered), or is closed, or neither. */
type Result = { readonly outcome: 'goes on' | 'closed' | 'hangs'; readonly ms: number }

/** Frames and handshakes that break the rules: each connection goes on or is closed, in time. */
export async function fixedFrames(victim: Victim): Promise<Figure[]> {
  const frames = await Promise.all(HOSTILE_FRAMES.map(({ bytes }) => sendFrames(victim.target, bytes)))
  const handshakes = await Promise.all(HOSTILE_HANDSHAKES.map(({ bytes }) => sendRaw(victim.target, bytes)))
  const all = [...frames, ...handshakes]
  return [
    atLeast('fixed frames', 'behind the handshake', frames.length, 100),
    atLeast('fixed frames', 'within the handshake, at each byte', handshakes.length, 80),
    atLeast('fixed frames', 'of the rarest kind', rarest([...HOSTILE_FRAMES, ...HOSTILE_HANDSHAKES]), PER_KIND),
    atMost('fixed frames', 'neither go on nor are closed', all.filter(({ outcome }) => outcome === 'hangs').length, 0),
    atMost('fixed frames', 'slowest', Math.max(...all.map(({ ms }) => ms)), ANSWER_MS, 'ms'),
  ]
}

/** A ping behind them tells whether anybody still listens; what stops in the middle of a frame takes it for the rest. */
async function sendFrames(target: string, bytes: Buffer): Promise<Result> {
  const peer = await rawPeer(target)
  const started = performance.now()
  peer.send(bytes)
  peer.send(frame(PING, SYN, 0, LAST_PING))
  await peer.until(() => peer.closed || peer.ponged(LAST_PING), ANSWER_MS + 1000)
  const outcome = peer.closed ? 'closed' : peer.ponged(LAST_PING) ? 'goes on' : 'hangs'
  peer.hangUp()
  return { outcome, ms: performance.now() - started }
}

const LAST_PING = 0xabcdef

function sendRaw(target: string, bytes: Buffer): Promise<Result> {
  const started = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(target.split('/')[4]) }, () => socket.write(bytes))
    const end = (outcome: Result['outcome']) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ outcome, ms: performance.now() - started })
    }
    const timer = setTimeout(end, ANSWER_MS + 1000, 'hangs')
    socket.on('error', () => {})
    socket.resume()
    socket.once('close', () => end('closed'))
  })
}
