import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { MAX_HALF_OPEN } from '../../../src/host/libp2p.ts'
import { type GuardedNode, guardedNode, targetOf } from '../../support/guarded-node.ts'
import { ask, exchange, startPeer } from '../../support/peers.ts'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, PING, RST, rawPeer, SYN, WINDOW_UPDATE } from '../../support/raw-peer.ts'
import { until } from '../../support/wait.ts'

/** More sockets than may be half open. */
const SILENT = MAX_HALF_OPEN + 6

const hungUp = (node: GuardedNode) => node.services.guard.status.counters.hungUp
const refused = (node: GuardedNode) => node.services.guard.status.counters.refused

/** Whether the node answers a request of this peer. */
async function isServed(peer: Libp2p, node: GuardedNode): Promise<boolean> {
  try {
    return (await ask(peer, targetOf(node), {})) !== undefined
  } catch {
    return false
  }
}

async function silentSocket(t: TestContext, node: GuardedNode, from = '127.0.0.1'): Promise<Socket> {
  const port = Number(targetOf(node).split('/')[4])
  const socket = connect({ host: '127.0.0.1', port, localAddress: from })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe('the guard', { concurrency: 4 }, () => {
  for (const on of [true, false]) {
    it(`${on ? 'cuts' : 'switched off, buffers'} a frame that announces 4 GiB`, async (t) => {
      const node = await guardedNode(t, on ? {} : { disable: { protections: ['frames', 'bytes'] } })
      const peer = await rawPeer(targetOf(node))
      peer.send(frame(DATA, SYN, 1, 0, 0xff_ff_ff_ff))
      if (on) {
        await peer.gone
        assert.equal(hungUp(node).invalid_frame, 1)
      } else {
        peer.send(Buffer.alloc(2_000_000))
        const other = await rawPeer(targetOf(node))
        other.send(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
        await until(() => other.received(1).length > 0, 'the node has worked on')
        assert.equal(peer.closed, false)
        other.hangUp()
      }
      peer.hangUp()
    })

    it(`${on ? 'cuts' : 'switched off, suffers'} streams that are opened and reset`, async (t) => {
      const node = await guardedNode(t, on ? {} : { disable: { protections: ['frames'] } })
      const peer = await rawPeer(targetOf(node))
      const churn = Buffer.concat(
        Array.from({ length: 200 }, (_, i) => [
          frame(WINDOW_UPDATE, SYN, 2 * i + 1),
          frame(DATA, RST, 2 * i + 1),
        ]).flat(),
      )
      peer.send(churn)
      if (on) {
        await peer.gone
        assert.equal(hungUp(node).too_much_work, 1)
      } else {
        peer.send(frame(DATA, SYN, 9999, ASKS_BOOTSTRAP))
        await until(() => peer.received(9999).length > 0, 'the stream after them is served')
        peer.hangUp()
      }
    })

    it(`${on ? 'cuts' : 'switched off, answers'} a flood of pings`, async (t) => {
      const node = await guardedNode(t, on ? {} : { disable: { protections: ['frames'] } })
      const peer = await rawPeer(targetOf(node))
      peer.send(Buffer.concat(Array.from({ length: 2000 }, (_, i) => frame(PING, SYN, 0, i))))
      if (on) {
        await peer.gone
      } else {
        peer.send(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
        await until(() => peer.received(1).length > 0, 'the stream after them is served')
        peer.hangUp()
      }
    })

    it(`${on ? 'cuts' : 'switched off, takes'} more bytes than anybody needs`, async (t) => {
      const node = await guardedNode(t, on ? {} : { disable: { protections: ['bytes'] } })
      const peer = await rawPeer(targetOf(node))
      // To a stream that is not there: yamux drops it, for ever.
      for (let i = 0; i < 16; i++) {
        peer.send(frame(DATA, 0, 77, Buffer.alloc(64 * 1024)))
      }
      if (on) {
        await peer.gone
        assert.equal(hungUp(node).too_many_bytes, 1)
      } else {
        peer.send(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
        await until(() => peer.received(1).length > 0, 'the stream after them is served')
        peer.hangUp()
      }
    })
  }

  it('never cuts a peer that asks as much as the protocol allows', async (t) => {
    const node = await guardedNode(t)
    const peer = await startPeer()
    t.after(() => peer.stop())
    const line = JSON.stringify({ network: 'n'.repeat(200), padding: 'x'.repeat(7900) })
    const full = `${line}\n`.repeat(16)
    for (let round = 0; round < 3; round++) {
      const answers = (await exchange(peer, targetOf(node), full)).trim().split('\n')
      assert.equal(answers.length, 16)
    }
    assert.equal(node.services.guard.status.open, 1)
    assert.deepEqual(new Set(Object.values(hungUp(node))), new Set([0]))
  })

  it('serves a hundred streams of one connection, eight at a time', async (t) => {
    const node = await guardedNode(t)
    const peer = await startPeer()
    t.after(() => peer.stop())
    for (let round = 0; round < 12; round++) {
      await Promise.all(Array.from({ length: 8 }, () => ask(peer, targetOf(node), {})))
    }
    assert.equal(node.services.guard.status.open, 1)
  })

  it('hangs up on a socket that says nothing for 3 s', async (t) => {
    const node = await guardedNode(t)
    const started = performance.now()
    const socket = await silentSocket(t, node)
    await new Promise((resolve) => socket.once('close', resolve))
    const took = performance.now() - started
    // Before libp2p's own deadline of 8 s, however busy the machine.
    assert(took > 2900 && took < 8000, `${took} ms`)
    assert.equal(hungUp(node).silent, 1)
  })

  it('lets newcomers in past a full house of silent sockets', async (t) => {
    const node = await guardedNode(t)
    await Promise.all(Array.from({ length: SILENT }, (_, i) => silentSocket(t, node, `127.0.${1 + (i % 250)}.1`)))
    const peer = await startPeer()
    t.after(() => peer.stop())
    // On a machine so slow that the peer's own deadlines pass, it asks again.
    await until(async () => isServed(peer, node), 'the newcomer is served')
    assert(node.services.guard.status.halfOpen <= MAX_HALF_OPEN)
    // On a machine so slow that they go before the last of them comes, they were silent.
    const gone = hungUp(node).half_open_crowded + refused(node).half_open_full + hungUp(node).silent
    assert(gone >= SILENT - MAX_HALF_OPEN, `${gone}`)
  })

  it('refuses whom the operator denies', async (t) => {
    const node = await guardedNode(t, {
      deny: ['127.66.0.0/16', '12D3KooWLwHhM7PvzVdTtRyEqHoeFvUmLjpSgvuEqYzYUt1yzzxX'],
    })
    const denied = rawPeer(targetOf(node), { from: '127.66.1.1' })
    await assert.rejects(denied)
    assert.equal(refused(node).denied, 1)
    const peer = await rawPeer(targetOf(node), { from: '127.67.1.1' })
    peer.hangUp()
  })

  it('makes room for a newcomer in a table full of idlers', async (t) => {
    const node = await guardedNode(t, { maxConnections: 20 })
    const idlers = await Promise.all(Array.from({ length: 20 }, () => rawPeer(targetOf(node))))
    await until(() => node.services.guard.status.open >= 16, 'the table is full')
    const peer = await startPeer()
    t.after(() => peer.stop())
    await until(async () => isServed(peer, node), 'the newcomer is served', 2000)
    assert(hungUp(node).idle_crowded > 0)
    for (const idler of idlers) {
      idler.hangUp()
    }
  })

  it('makes room for a newcomer from elsewhere in a table full of busy connections', async (t) => {
    const node = await guardedNode(t, { maxConnections: 8 })
    const busy = await Promise.all(Array.from({ length: 8 }, () => rawPeer(targetOf(node))))
    for (const peer of busy) {
      peer.send(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
    }
    await until(() => busy.every((peer) => peer.received(1).length > 0), 'all of them have a stream')
    const newcomer = await rawPeer(targetOf(node), { from: '127.99.1.1' })
    t.after(() => newcomer.hangUp())
    newcomer.send(Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(DATA, 0, 1, Buffer.from('{}\n'))]))
    await until(() => newcomer.received(1).includes('[]'), 'the newcomer is answered')
    assert.equal(hungUp(node).crowded, 1)
    assert.equal(busy.filter(({ closed }) => closed).length, 1)
    // Another one of the crowd has its share already.
    await rawPeer(targetOf(node)).then(
      (ninth) => ninth.gone,
      () => {},
    )
    assert.equal(refused(node).table_full, 1)
    for (const peer of busy) {
      peer.hangUp()
    }
  })

  it('switched off, leaves newcomers before a full table', async (t) => {
    const node = await guardedNode(t, { maxConnections: 8, disable: { protections: ['idle'] } })
    const idlers = await Promise.all(Array.from({ length: 8 }, () => rawPeer(targetOf(node))))
    await until(() => node.services.guard.status.open === 8, 'the table is full')
    await rawPeer(targetOf(node)).then(
      (ninth) => ninth.gone,
      () => {},
    )
    assert.equal(refused(node).table_full, 1)
    for (const idler of idlers) {
      idler.hangUp()
    }
  })

  it('looks at no list of all connections when one more comes', async (t) => {
    const node = await guardedNode(t)
    let listed = 0
    const manager = (
      node as unknown as { components: { connectionManager: { getConnections(id?: unknown): unknown } } }
    ).components.connectionManager
    const getConnections = manager.getConnections.bind(manager)
    manager.getConnections = (id) => {
      listed += id === undefined ? 1 : 0
      return getConnections(id)
    }
    const peer = await startPeer()
    t.after(() => peer.stop())
    await ask(peer, targetOf(node), {})
    assert.equal(listed, 0)
  })

  for (const on of [true, false]) {
    it(`${on ? 'dials' : 'switched off, would dial'} ${on ? 'only' : 'more than'} literal IP and TCP`, async (t) => {
      const node = await guardedNode(t, on ? {} : { disable: { protections: ['dials'] } })
      const path = `/tmp/bootstrap-peer-decoy-${process.pid}-${on}.sock`
      let touched = 0
      const decoy = createServer(() => touched++).listen(path)
      t.after(() => decoy.close())
      await once(decoy, 'listening')
      await node
        .dial(multiaddr(`/unix/${encodeURIComponent(path)}`), { signal: AbortSignal.timeout(500) })
        .catch(() => {})
      assert.equal(touched > 0, !on)
    })
  }

  it('dials a peer at its address', async (t) => {
    const node = await guardedNode(t)
    const peer = await startPeer()
    t.after(() => peer.stop())
    await node.dial(peer.getMultiaddrs()[0]!)
  })

  it('lets nobody in once it stops, while it still answers', async (t) => {
    const node = await guardedNode(t)
    const peer = await rawPeer(targetOf(node))
    node.services.guard.beforeStop()
    await assert.rejects(rawPeer(targetOf(node), { timeout: 2000 }))
    assert.equal(refused(node).stopping, 1)
    peer.send(frame(DATA, SYN, 1, ASKS_BOOTSTRAP))
    peer.send(frame(DATA, 0, 1, Buffer.from('{}\n')))
    peer.send(frame(WINDOW_UPDATE, FIN, 1))
    await until(() => peer.received(1).includes('[]'), 'it is answered')
    peer.hangUp()
  })
})
