import { networkGroupOf } from '../../src/peer/ip.ts'
import type { SelectionQuery } from '../../src/policy/selection.ts'
import { seededRandom } from '../support/random.ts'
import { selectPeers } from '../support/select-peers.ts'
import { tableOf } from '../support/tables.ts'
import { ATTACKER, HONEST, peersAt } from './layouts.ts'

/** One way for an attacker with 28 addresses to sit among 500 honest peers. */
export interface Eclipse {
  readonly layout: keyof typeof HONEST
  readonly place: keyof typeof ATTACKER
  readonly ages: keyof typeof AGES
}

export interface EclipseResult extends Eclipse {
  readonly draws: number
  /** The attacker's part of the answers, and by how much it may be off because the draws are so few (one sigma). */
  readonly share: number
  readonly error: number
  /** The attacker's part of the network groups. */
  readonly fair: number
  /** Answers with nobody else in them. */
  readonly alone: number
}

/** How much more than its part of the network groups an attacker may have of the answers. */
export const MARGIN = 0.01

/** Who has answered for long: of the honest, and of the attacker's. */
const AGES = {
  'none established': [() => false, () => false],
  'the attacker established, and a third of the honest': [(n: number) => n % 3 === 0, () => true],
  'only the attacker established': [() => false, () => true],
  'the honest established': [() => true, () => false],
} as const satisfies Record<string, readonly [(n: number) => boolean, () => boolean]>

const ASK: SelectionQuery = { network: '', limit: 250, scope: 'public', except: '', current: () => true }

/** All of them. */
export const ECLIPSES: readonly Eclipse[] = keys(HONEST).flatMap((layout) =>
  keys(ATTACKER).flatMap((place) => keys(AGES).map((ages) => ({ layout, place, ages }))),
)

/** Draws so many answers. */
export function drawEclipse(eclipse: Eclipse, draws: number): EclipseResult {
  const [honest, attacker] = [HONEST[eclipse.layout], ATTACKER[eclipse.place]]
  const [honestEstablished, attackerEstablished] = AGES[eclipse.ages]
  const table = tableOf([
    ...peersAt(honest, 'honest', honestEstablished),
    ...peersAt(attacker, 'attacker', attackerEstablished),
  ])
  const random = seededRandom(7)
  let [sum, squares, alone] = [0, 0, 0]
  for (let n = 0; n < draws; n++) {
    const picked = selectPeers(table, ASK, random)
    const part = picked.filter(({ id }) => id.startsWith('attacker')).length / picked.length
    sum += part
    squares += part * part
    alone += part === 1 ? 1 : 0
  }
  const share = sum / draws
  const error = Math.sqrt(Math.max(0, squares / draws - share * share) / draws)
  const [theirs, all] = [groups(attacker), groups([...attacker, ...honest])]
  return { ...eclipse, draws, share, error, fair: theirs / all, alone }
}

function groups(ips: readonly string[]): number {
  return new Set(ips.map((text) => networkGroupOf({ family: 4, text }))).size
}

function keys<Key extends string>(of: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(of) as Key[]
}
