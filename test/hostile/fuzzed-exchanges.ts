import type { Random } from '../../src/base/random.ts'
import { decodeRequest, isFault } from '../../src/wire/bootstrap-codec.ts'
import { seededRandom } from '../support/random.ts'
import { fuzzLine } from './fuzz-lines.ts'
import type { HonestPeer } from './honest-peer.ts'
import { ANSWER_MS, RawCaller } from './raw-caller.ts'
import { atLeast, atMost, type Figure, quantile, shown } from './report.ts'
import { servedAll } from './served.ts'
import type { Victim } from './victim.ts'

/** Callers at a time. More would only wait for each other. */
const CALLERS = 8
/** Lines of a stream: the most that the node reads. */
const LINES = 16

interface Tally {
  cases: number
  decoded: number
  wrong: number
  invented: number
  silent: number
  slowest: number
}

/**
 * Requests made by chance, each answered as the decoder says it must be; an honest peer asks beside them. The seed
 * makes the same requests again.
 */
export async function fuzzedExchanges(
  victim: Victim,
  honest: HonestPeer,
  { cases, seed }: { readonly cases: number; readonly seed: number },
): Promise<Figure[]> {
  const tally: Tally = { cases: 0, decoded: 0, wrong: 0, invented: 0, silent: 0, slowest: 0 }
  const started = performance.now()
  honest.take()
  await Promise.all(
    Array.from({ length: CALLERS }, (_, i) =>
      fuzz(victim.target, seededRandom(seed + i), Math.ceil(cases / CALLERS), honest.address, tally),
    ),
  )
  const seconds = (performance.now() - started) / 1000
  const exchanges = honest.take()
  const times = exchanges.map(({ ms }) => ms)
  return [
    atLeast('fuzzed exchanges', `cases, seed ${seed}`, tally.cases, cases),
    atLeast('fuzzed exchanges', 'reached the decoder', (100 * tally.decoded) / tally.cases, 95, '%'),
    atMost('fuzzed exchanges', 'answered otherwise than decoded', tally.wrong, 0),
    atMost('fuzzed exchanges', 'records that nobody registered', tally.invented, 0),
    atMost('fuzzed exchanges', 'streams neither answered nor closed', tally.silent, 0),
    atMost('fuzzed exchanges', 'slowest stream', tally.slowest, ANSWER_MS, 'ms'),
    ...servedAll('fuzzed exchanges', exchanges),
    shown('fuzzed exchanges', 'honest exchange, median', quantile(times, 0.5), 'ms'),
    shown('fuzzed exchanges', 'cases a second', tally.cases / seconds),
  ]
}

/** Streams of requests that can be read, with at most one that can't: that is where the node stops. */
async function fuzz(target: string, random: Random, cases: number, honest: string, tally: Tally): Promise<void> {
  const caller = new RawCaller(target)
  let done = 0
  while (done < cases) {
    const lines: Buffer[] = []
    const expected: string[] = []
    while (lines.length < LINES && done + lines.length < cases) {
      const line = fuzzLine(random)
      if (/^[ \t\r]*$/.test(line.toString('latin1'))) {
        continue
      }
      lines.push(line)
      const request = decodeRequest(line.at(-1) === 13 ? line.subarray(0, -1) : line)
      expected.push(isFault(request) ? request.code : 'list')
      if (isFault(request)) {
        break
      }
    }
    const feed = Buffer.of(10)
    const bytes = Buffer.concat(lines.flatMap((line) => [line, feed]))
    const at = Math.floor(random() * bytes.length)
    const exchange = await caller.exchange([bytes.subarray(0, at), bytes.subarray(at)], lines.length)
    done += lines.length
    const answers = exchange.answer.split('\n').slice(0, -1)
    tally.cases += lines.length
    tally.decoded += answers.filter((answer) => !answer.includes('"rate_limited"')).length
    tally.silent += exchange.ended === 'silent' ? 1 : 0
    tally.slowest = Math.max(tally.slowest, exchange.ms)
    for (const [index, answer] of answers.entries()) {
      const { kind, records } = read(answer)
      if (kind !== expected[index]) {
        tally.wrong++
        console.error(
          `${JSON.stringify(lines[index]?.toString())}\n  is ${expected[index]}, answered ${answer.slice(0, 200)}`,
        )
      }
      tally.invented += records.filter((record) => record !== honest).length
    }
  }
  await caller.hangUp()
}

/** What an answer is: a list, or the code of its error. */
function read(answer: string): { readonly kind: string; readonly records: readonly string[] } {
  const value = JSON.parse(answer)
  const peers: Array<{ address: string }> = Array.isArray(value) ? value : (value.peers ?? [])
  return { kind: value.error?.code ?? 'list', records: peers.map(({ address }) => address) }
}
