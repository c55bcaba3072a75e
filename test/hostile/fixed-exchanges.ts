import type { HonestPeer } from './honest-peer.ts'
import { HOSTILE_REQUESTS, REFERENCE } from './hostile-requests.ts'
import { PER_KIND, rarest } from './kinds.ts'
import { ANSWER_MS, RawCaller, type RawExchange } from './raw-caller.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { servedAll } from './served.ts'
import type { Victim } from './victim.ts'

/** Every hostile request, whole and cut: the same comes of it, in time, and nobody is listed. */
export async function fixedExchanges(victim: Victim, honest: HonestPeer): Promise<Figure[]> {
  const caller = new RawCaller(victim.target)
  const all: RawExchange[] = []
  let different = 0
  let listed = 0
  honest.take()
  const exchange = async (pieces: readonly Uint8Array[], cost: number) => {
    const done = await caller.exchange(pieces, cost)
    all.push(done)
    listed += done.answer.includes('"status":"listed"') ? 1 : 0
    return done
  }

  for (const { kind, bytes } of HOSTILE_REQUESTS) {
    const cost = Math.min(17, bytes.filter((byte) => byte === 10).length + 1)
    const whole = await exchange([bytes], cost)
    const cut = await exchange(chunks(bytes, bytes.length > 1000 ? 997 : 1), cost * 3)
    if (comparable(whole.answer) !== comparable(cut.answer)) {
      different++
      console.error(
        `cut and whole differ: ${kind} ${bytes.subarray(0, 60)}\n  ${whole.answer.slice(0, 200)}\n  ${cut.answer.slice(0, 200)}`,
      )
    }
  }
  const reference = await exchange([REFERENCE], 1)
  for (let at = 0; at <= REFERENCE.length; at++) {
    const cut = await exchange([REFERENCE.subarray(0, at), REFERENCE.subarray(at)], 1)
    different += comparable(cut.answer) === comparable(reference.answer) ? 0 : 1
  }
  const served = await honest.until(20)
  await caller.hangUp()

  return [
    atLeast('fixed exchanges', 'exchanges', all.length, 200),
    atLeast('fixed exchanges', 'of the rarest kind', rarest(HOSTILE_REQUESTS), PER_KIND),
    atMost('fixed exchanges', 'answered differently when cut', different, 0),
    atMost('fixed exchanges', 'listed', listed, 0),
    atMost('fixed exchanges', 'neither answered nor closed', all.filter(({ ended }) => ended === 'silent').length, 0),
    atMost('fixed exchanges', 'without a word', all.filter(({ answer }) => answer === '').length, 0),
    atMost('fixed exchanges', 'slowest', Math.max(...all.map(({ ms }) => ms)), ANSWER_MS, 'ms'),
    ...servedAll('fixed exchanges', served),
  ]
}

function chunks(bytes: Buffer, size: number): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / size))
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** An answer without the order of its peers, which is drawn by lot, and without the caller's port. */
function comparable(answer: string): string {
  const sorted = answer.split('\n').map((line) => {
    try {
      const value: unknown = JSON.parse(line)
      return JSON.stringify(value, (_, each) =>
        Array.isArray(each) ? [...each].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : each,
      )
    } catch {
      return line
    }
  })
  return sorted.join('\n').replaceAll(/\/tcp\/\d+"/g, '"')
}
