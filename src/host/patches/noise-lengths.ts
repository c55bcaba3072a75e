import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

/**
 * Parses Noise's length prefixes without throwing.
 *
 * Patches @libp2p/noise 17.0.3 and the `LengthPrefixedDecoder` of @libp2p/utils 7.4.1, which catches a RangeError to find
 * that it has read everything, and makes that error, with its stack, for every message that arrives: 3 % of a join. A
 * length that is no number ends its loop too.
 *
 * Upstream: no report found for Noise. The same in mplex was https://github.com/ChainSafe/lodestar/issues/3467. It can go when
 * `test/host/patches/still-needed.test.ts` "Noise throws for each message that arrives" fails.
 */
export function noiseLengths(encrypter: ConnectionEncrypter): ConnectionEncrypter {
  const secureInbound = encrypter.secureInbound.bind(encrypter)
  encrypter.secureInbound = async (socket, options) => {
    const secured = await secureInbound(socket, options)
    silence(secured.connection)
    return secured
  }
  return encrypter
}

function silence(stream: MessageStream): void {
  const { decoder } = stream as { decoder?: { lengthDecoder?: (data: Uint8ArrayList) => number } }
  if (typeof decoder?.lengthDecoder === 'function') {
    decoder.lengthDecoder = lengthOf
  }
}

/** A 16-bit big-endian number (libp2p's noise specification, "Wire Format"), or NaN while it is incomplete. */
function lengthOf(data: Uint8ArrayList): number {
  return data.byteLength < 2 ? Number.NaN : (data.get(0) << 8) | data.get(1)
}
