import type { Random } from '../../src/base/random.ts'
import { HOSTILE_REQUESTS } from './hostile-requests.ts'

/** One line of what might be a request: made from nothing, or from a hostile one with some bytes changed. */
export function fuzzLine(random: Random): Buffer {
  const made = random() < 0.6 ? Buffer.from(fuzzRequest(random)) : mutate(pick(random, SEEDS), random)
  const line = random() < 0.3 ? mutate(made, random) : made
  // A line feed would make it two.
  return Buffer.from(line.subarray(0, MAX_BYTES).map((byte) => (byte === 10 ? 32 : byte)))
}

const MAX_BYTES = 2000
const SEEDS = HOSTILE_REQUESTS.map(({ bytes }) => bytes).filter(({ length }) => length > 1 && length <= MAX_BYTES)

const NAMES = ['address', 'addresses', 'network', 'ttl', 'limit', 'explain', '__proto__', 'code', 'toString', 'x', '']
const WORDS = [
  '/ip4/127.0.0.1/tcp/4001',
  '/ip4/127.0.0.2/tcp/22',
  '/ip6/::1/tcp/4001',
  '/ip4/8.8.8.8/tcp/1',
  '127.0.0.1:80',
  ':1',
  '/dns4/localhost/tcp/1',
  'honest',
  '\u0000\u001b[2J\u2028\ud800\u202e',
  'é'.repeat(130),
  '',
]

/** Mostly of the right shape, so that what reads it gets far. */
function fuzzRequest(random: Random): string {
  const fields = Array.from({ length: Math.floor(random() * 5) }, () => {
    const name = pick(random, NAMES)
    return `${JSON.stringify(name)}:${random() < 0.6 ? fitting(name, random) : value(random, 3)}`
  })
  const object = `{${fields.join(',')}}`
  return random() < 0.1 ? `[${object},${object}]` : object
}

function fitting(name: string, random: Random): string {
  switch (name) {
    case 'ttl':
    case 'limit':
      return String(Math.floor(random() * 2000))
    case 'explain':
      return random() < 0.5 ? 'true' : 'false'
    case 'addresses':
      // Ports below 1024 are refused before anybody is dialled: this is about reading.
      return JSON.stringify(
        Array.from({ length: Math.floor(random() * 4) }, () => `/ip4/127.0.0.1/tcp/${port(random)}`),
      )
    case 'address':
      return JSON.stringify(`/ip4/127.0.0.${1 + Math.floor(random() * 3)}/tcp/${port(random)}`)
    default:
      return JSON.stringify(pick(random, WORDS.slice(-4)))
  }
}

function port(random: Random): number {
  return 81 + Math.floor(random() * 300)
}

function value(random: Random, depth: number): string {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5))
  switch (kind) {
    case 0:
      return pick(random, ['null', 'true', 'false', '1e999', '-0', '1.5', '9007199254740993', '-1', 'NaN', '01'])
    case 1:
      return String(Math.floor((random() - 0.5) * 2 ** Math.floor(random() * 70)))
    case 2:
      return String(Math.floor(random() * 5000))
    case 5:
      return `[${Array.from({ length: Math.floor(random() * 4) }, () => value(random, depth - 1)).join(',')}]`
    case 6:
      return `{"${pick(random, NAMES)}":${value(random, depth - 1)}}`
    default:
      return JSON.stringify(pick(random, WORDS))
  }
}

function mutate(bytes: Buffer, random: Random): Buffer {
  const mutated = Buffer.from(bytes)
  for (let i = Math.floor(random() * 3); i >= 0; i--) {
    const at = Math.floor(random() * mutated.length)
    switch (Math.floor(random() * 4)) {
      case 0:
        mutated[at] = Math.floor(random() * 256)
        break
      case 1:
        mutated[at] = (mutated[at] ?? 0) ^ (1 << Math.floor(random() * 8))
        break
      case 2:
        return mutated.subarray(0, at)
      default:
        mutated.copyWithin(at, Math.floor(random() * mutated.length))
    }
  }
  return mutated
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}
