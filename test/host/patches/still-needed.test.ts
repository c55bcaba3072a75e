import assert from 'node:assert/strict'
import nodeCrypto from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { noise } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'
import { silentLogger } from '../../../src/host/patches/silent-logger.ts'
import { startPeer } from '../../support/peers.ts'

/** When one of these fails, libp2p does without the patch: compare the bench with and without it, and delete it. */
describe('stock libp2p, which is why there are patches', () => {
  it('one turn writes to a socket several times', async (t) => {
    let writes = 0
    let turns = 0
    let isCounted = false
    const watch = (socket: Socket) => {
      const write = socket.write
      socket.write = ((...args: Parameters<Socket['write']>) => {
        writes++
        if (!isCounted) {
          isCounted = true
          turns++
          process.nextTick(() => {
            isCounted = false
          })
        }
        return write.apply(socket, args)
      }) as Socket['write']
    }
    const denyInboundConnection = (connection: object) => {
      watch((connection as { socket: Socket }).socket)
      return false
    }
    await dialled(t, { connectionGater: { denyInboundConnection } })
    assert.ok(turns > 0)
    assert.ok(writes > turns, `${writes} writes in ${turns} turns`)
  })

  it('Noise imports a key that it has just made', (t) => {
    const pair = defaultCrypto.generateX25519KeyPair()
    const imported = t.mock.method(nodeCrypto, 'createPrivateKey')
    defaultCrypto.generateX25519SharedKey(pair.privateKey, pair.publicKey)
    assert.equal(imported.mock.callCount(), 1)
  })

  it('Noise throws for each message that arrives', async (t) => {
    let caught = 0
    const stock = noise()
    const watched: NonNullable<Libp2pOptions['connectionEncrypters']>[number] = (components) => {
      const encrypter = stock(components)
      const secureInbound = encrypter.secureInbound.bind(encrypter)
      encrypter.secureInbound = async (socket, options) => {
        const secured = await secureInbound(socket, options)
        const { decoder } = secured.connection as unknown as { decoder: { lengthDecoder: (data: unknown) => number } }
        const lengthOf = decoder.lengthDecoder
        decoder.lengthDecoder = (data) => {
          try {
            return lengthOf(data)
          } catch (err) {
            caught++
            throw err
          }
        }
        return secured
      }
      return encrypter
    }
    await dialled(t, { connectionEncrypters: [watched] })
    assert.ok(caught > 0, 'a message on a stream has arrived')
  })

  it('Noise signs its static key for each handshake', async (t) => {
    const key = await generateKeyPair('Ed25519')
    const signed: string[] = []
    const sign = (data: Uint8Array) => {
      signed.push(Buffer.from(data.subarray()).toString('latin1'))
      return key.sign(data)
    }
    const privateKey = Object.create(key, { sign: { value: sign } })
    const listener = await started(t, { privateKey })
    for (const _ of [1, 2]) {
      await (await started(t)).dial(listener.getMultiaddrs())
    }
    const handshakes = signed.filter((data) => data.startsWith('noise-libp2p-static-key:'))
    assert.equal(handshakes.length, 2)
    assert.equal(new Set(handshakes).size, 1, 'the same bytes')
  })

  it('libp2p makes loggers for each connection', async (t) => {
    let made = 0
    const counting = (inner: Logger): Logger =>
      Object.assign((...args: Parameters<Logger>) => inner(...args), {
        ...inner,
        newScope: () => {
          made++
          return counting(inner)
        },
      })
    const logger: ComponentLogger = {
      forComponent: (name) => {
        made++
        return counting(silentLogger().forComponent(name))
      },
    }
    const listener = await started(t, { logger })
    const dialler = await started(t)
    const before = made
    await dialler.dial(listener.getMultiaddrs())
    assert.ok(made > before, `${made - before} loggers`)
  })
})

/** A stock node that was dialled once, and sent a byte. */
async function dialled(t: TestContext, options: Libp2pOptions) {
  const listener = await started(t, options)
  const { promise: arrived, resolve } = Promise.withResolvers<unknown>()
  await listener.handle('/byte/1.0.0', (stream) => stream.addEventListener('message', resolve))
  const stream = await (await started(t)).dialProtocol(listener.getMultiaddrs(), '/byte/1.0.0')
  stream.send(Buffer.of(1))
  await arrived
}

async function started(t: TestContext, options: Libp2pOptions = {}) {
  const peer = await startPeer(options)
  t.after(() => peer.stop())
  return peer
}
