import { Socket } from 'node:net'
import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MultiaddrConnection, PrivateKey } from '@libp2p/interface'
import type { Optimization } from '../switches.ts'
import { joinWrites } from './joined-writes.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { noiseLengths } from './noise-lengths.ts'
import { signOnce } from './sign-once.ts'

/** Noise with the optimizations that are enabled. */
export function patchedNoise(off: ReadonlySet<Optimization>): (components: NoiseComponents) => ConnectionEncrypter {
  const factory = noise(off.has('keyObjects') ? {} : { crypto: noiseCrypto() })
  return (components) => {
    const encrypter = factory(off.has('signOnce') ? components : withSignOnce(components))
    return off.has('noiseLengths') ? encrypter : noiseLengths(encrypter)
  }
}

/** Joins the writes of a socket that libp2p has just accepted, if it is one. */
export function joinWritesOf(connection: MultiaddrConnection): void {
  if ('socket' in connection && connection.socket instanceof Socket) {
    joinWrites(connection.socket)
  }
}

function withSignOnce(components: NoiseComponents): NoiseComponents {
  const privateKey: PrivateKey = signOnce(components.privateKey)
  return new Proxy(components, {
    get: (target, name, receiver) => (name === 'privateKey' ? privateKey : Reflect.get(target, name, receiver)),
  })
}
