import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type MultiaddrConnection, StreamMessageEvent } from '@libp2p/interface'
import type { HangUp } from '../../../src/host/guard/guard-counters.ts'
import { BYTE_BUDGET, GuardedConnection } from '../../../src/host/guard/guarded-connection.ts'
import { LoopShare } from '../../../src/host/guard/loop-share.ts'
import { WORK_BUDGETS } from '../../../src/host/guard/work-budgets.ts'
import { parseIp } from '../../../src/peer/ip.ts'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, PING, SYN, WINDOW_UPDATE } from '../../support/raw-peer.ts'
import { until } from '../../support/wait.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe('a connection', () => {
  it('that asks four times a minute for a week is never cut', () => {
    const { receive, decrypt, complaints, clock } = connection()
    for (let id = 1; clock.now < 7 * DAY && complaints.length === 0; id += 2) {
      receive(asking(id, 8000))
      decrypt(asking(id, 8000))
      clock.now += MINUTE / 4
    }
    assert.deepEqual(complaints, [])
  })

  it('has its budgets again after a while, and no more than that', () => {
    const { receive, complaints, clock } = connection()
    const { burst, perSecond } = BYTE_BUDGET
    receive(Buffer.alloc(burst))
    assert.deepEqual(complaints, [])
    clock.now += (1000 * burst) / perSecond
    receive(Buffer.alloc(burst))
    assert.deepEqual(complaints, [])
    receive(Buffer.alloc(perSecond))
    assert.deepEqual(complaints, ['too_many_bytes'])
  })

  it('has its budget of work again, too', () => {
    const { decrypt, complaints, clock } = connection()
    const streams = (count: number) => Buffer.concat(Array.from({ length: count }, (_, i) => asking(2 * i + 1, 10)))
    decrypt(streams(90))
    clock.now += (1000 * WORK_BUDGETS.connection.burst) / WORK_BUDGETS.connection.perSecond
    decrypt(streams(90))
    assert.deepEqual(complaints, [])
    decrypt(streams(90))
    assert.deepEqual(complaints, ['too_much_work'])
  })
})

describe('a connection whose input waits for the event loop', () => {
  it('is heard when that is served, and neither silent nor read before', async () => {
    const { receiveLater, clock, guarded, share, socket } = connection({ shared: true })
    const late = Promise.withResolvers<void>()
    // Another one takes all of this turn.
    share!.take(['5.6/16', '5.6.7/24', '5.6.7.8'], 1, () => {
      clock.now += 4000
    })
    receiveLater(Buffer.alloc(10), late.resolve)
    assert.equal(guarded.waiting, 1)
    assert.equal(socket.isPaused(), true)
    await late.promise
    await until(() => !socket.isPaused(), 'the socket is read on')
    assert.equal(guarded.waiting, 0)
    assert.equal(guarded.heardAt, 4000)
  })

  it('is served in order, what is cheap behind what is cut in pieces', async () => {
    const { decrypt, served, share, clock } = connection({ shared: true })
    share!.take(['5.6/16', '5.6.7/24', '5.6.7.8'], 1, () => {
      clock.now += 4000
    })
    const streams = Buffer.concat(Array.from({ length: 30 }, (_, i) => asking(2 * i + 1, 10)))
    const last = frame(DATA, 0, 1, Buffer.from('the last'))
    decrypt(streams)
    decrypt(last)
    await until(() => Buffer.concat(served).length >= streams.length + last.length, 'all is served')
    assert.deepEqual(Buffer.concat(served), Buffer.concat([streams, last]))
  })
})

describe('pings of a connection', () => {
  it('are no use of it, on a stream of their own or without one', () => {
    const { decrypt, clock, guarded } = connection()
    const stream = { protocol: '' }
    guarded.muxer = { streams: [stream] } as never
    clock.now = 1000
    decrypt(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
    assert.equal(guarded.usedAt, 1000)
    clock.now = 2000
    decrypt(frame(DATA, 0, 1, Buffer.alloc(10)))
    assert.equal(guarded.usedAt, 2000)
    assert.equal(guarded.streams(), 1)
    stream.protocol = '/ipfs/ping/1.0.0'
    clock.now = 3000
    decrypt(frame(DATA, 0, 1, Buffer.alloc(32)))
    decrypt(frame(PING, SYN, 0, 7))
    assert.equal(guarded.usedAt, 2000)
    assert.equal(guarded.streams(), 0)
  })
})

function asking(id: number, bytes: number): Buffer {
  return Buffer.concat([
    frame(DATA, SYN, id, ASKS_BOOTSTRAP),
    frame(DATA, 0, id, Buffer.alloc(bytes, 32)),
    frame(WINDOW_UPDATE, FIN, id),
  ])
}

/** A guarded connection whose bytes the test makes up, as they come from the socket and out of the encryption. */
function connection({ shared = false } = {}) {
  const clock = { now: 0 }
  const share = shared ? new LoopShare(() => clock.now) : undefined
  let onServed = () => {}
  const complaints: HangUp[] = []
  const ends = [0, 1].map(
    () => Object.assign(new EventTarget(), { status: 'open', writeBufferLength: 0 }) as unknown as MultiaddrConnection,
  )
  const [socket, plain] = ends as [MultiaddrConnection, MultiaddrConnection]
  const caller = { ip: parseIp('8.8.8.8')!, scope: 'public' } as const
  const guarded = new GuardedConnection(socket, caller, {
    clock: () => clock.now,
    checks: { bytes: true, frames: true, slowReaders: true },
    share,
    budgets: undefined,
    onAbuse: (reason) => complaints.push(reason),
  })
  const tcp = new Socket()
  Object.assign(socket, { onData: () => onServed(), socket: tcp })
  guarded.watch()
  const served: Uint8Array[] = []
  plain.addEventListener('message', ({ data }) => served.push(data.subarray()))
  guarded.multiplexed(plain as never)
  /** Bytes from the socket before libp2p reads them. */
  const receiveLater = (bytes: Buffer, then: () => void) => {
    onServed = then
    ;(socket as unknown as { onData(data: Uint8Array): void }).onData(bytes)
  }
  const into = (end: MultiaddrConnection) => (bytes: Buffer) => {
    end.dispatchEvent(new StreamMessageEvent(bytes))
  }
  return {
    clock,
    guarded,
    socket: tcp,
    share,
    served,
    receiveLater,
    complaints,
    receive: into(socket),
    decrypt: into(plain),
  }
}
