import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MultiaddrConnection } from '@libp2p/interface'
import { startPeer } from '../../support/peers.ts'

/** Bytes. */
const MAX_UNSENT = 1

/**
 * What the guard reaches into, that libp2p does not promise. Without one of these the guard goes on and protects less: before a
 * pin of `package.json` is raised, they have to hold.
 */
describe('stock libp2p, which the guard hooks into', () => {
  it('hands what a socket receives to onData, and dispatches each message through dispatchEvent', async (t) => {
    const seen = { onData: 0, message: 0 }
    const connectionGater = { denyInboundConnection }
    const listener = await startPeer({ connectionGater })
    const dialler = await startPeer()
    t.after(() => Promise.all([listener, dialler].map((node) => node.stop())))
    await dialler.dial(listener.getMultiaddrs())
    assert(seen.onData > 0, 'onData is called')
    assert(seen.message > 0, 'messages are dispatched')

    function denyInboundConnection(connection: MultiaddrConnection): boolean {
      const hooked = connection as MultiaddrConnection & { onData(data: unknown): void }
      const { onData } = hooked
      hooked.onData = (data) => {
        seen.onData += 1
        onData.call(hooked, data)
      }
      const dispatchEvent = hooked.dispatchEvent.bind(hooked)
      hooked.dispatchEvent = (event) => {
        seen.message += event.type === 'message' ? 1 : 0
        return dispatchEvent(event)
      }
      return false
    }
  })

  it('keeps to the limit of what waits to be sent, which can be set at any time', async (t) => {
    const found: unknown[] = []
    const connectionGater = {
      denyInboundConnection(connection: MultiaddrConnection) {
        connection.maxWriteBufferLength = MAX_UNSENT
        found.push(connection.writeBufferLength, connection.writableNeedsDrain)
        try {
          // The kernel takes a few MB; then it has to wait here.
          for (let sent = 0; sent < 64; sent++) {
            connection.send(Buffer.alloc(1 << 20))
          }
        } catch {
          found.push(connection.writableNeedsDrain, connection.status)
        }
        return false
      },
    }
    const listener = await startPeer({ connectionGater })
    const dialler = await startPeer()
    t.after(() => Promise.all([listener, dialler].map((node) => node.stop())))
    await assert.rejects(dialler.dial(listener.getMultiaddrs()))
    assert.deepEqual(found, [0, false, true, 'aborted'])
  })

  it('has a pruner and a reconnect queue that can be stopped', async (t) => {
    const node = await startPeer()
    t.after(() => node.stop())
    const { connectionManager } = (node as unknown as { components: { connectionManager: unknown } }).components
    const { connectionPruner, reconnectQueue } = connectionManager as Record<string, Record<string, unknown>>
    assert.deepEqual(
      [connectionPruner?.stop, reconnectQueue?.stop, reconnectQueue?.retries].map((each) => typeof each),
      ['function', 'function', 'number'],
    )
  })
})
