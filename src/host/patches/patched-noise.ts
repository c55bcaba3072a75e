import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, PrivateKey } from '@libp2p/interface'
import type { Optimization } from '../switches.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { noiseLengths } from './noise-lengths.ts'
import { signOnce } from './sign-once.ts'

/** Noise with those of the patches beside this file that are enabled. It patches nothing itself. */
export function patchedNoise(off: ReadonlySet<Optimization>): (components: NoiseComponents) => ConnectionEncrypter {
  const factory = noise(off.has('keyObjects') ? {} : { crypto: noiseCrypto() })
  return (components) => {
    const encrypter = factory(off.has('signOnce') ? components : withSignOnce(components))
    return off.has('noiseLengths') ? encrypter : noiseLengths(encrypter)
  }
}

function withSignOnce(components: NoiseComponents): NoiseComponents {
  const privateKey: PrivateKey = signOnce(components.privateKey)
  return new Proxy(components, {
    get: (target, name, receiver) => (name === 'privateKey' ? privateKey : Reflect.get(target, name, receiver)),
  })
}
