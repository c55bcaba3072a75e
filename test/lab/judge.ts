import type { Census } from './census.ts'
import type { CrowdResult } from './crowd.ts'
import { type EclipseResult, MARGIN } from './eclipse.ts'

const MINUTE = 60_000

/** What an answer a minute has to have shown; the misses, in words. */
export function missesOf(census: Census, days: number): string[] {
  const { name, answers, addresses, lies, planted, believed, longestDead, recall, longestUnseen, alive } = census
  const claims: ReadonlyArray<readonly [boolean, string]> = [
    [answers >= days * 24 * 60 - 1 && addresses > 100 * answers, `asked ${answers} times, handed ${addresses}`],
    [lies > 1000 * days, `${lies} lies are too few to tell`],
    [planted === 0, `${planted} planted addresses handed out`],
    [believed === 0, `${believed} lies believed`],
    [longestDead > 0 && longestDead <= 20 * MINUTE, `an address dead for ${longestDead / MINUTE} min handed out`],
    [recall >= 0.98, `${recall} of the living listed`],
    [longestUnseen <= 30, `a living peer in none of ${longestUnseen} answers in a row`],
    [!name.startsWith('24 h') || alive >= 0.99, `${alive} of what was handed out alive`],
  ]
  return claims.filter(([so]) => !so).map(([, text]) => `${name}: ${text}`)
}

/**
 * What was alive of a week's answers when peers were dialed after 5 minutes in their first quarter of an hour and then after
 * 15 ± 20 %, with the same seed. By age it may be no worse, but for the draw.
 */
const ALIVE_BEFORE: Readonly<Record<string, number>> = {
  '24 h sessions, a /16 each': 0.9948,
  '24 h sessions, 30 /16s': 0.9951,
  '6 h sessions, a /16 each': 0.9819,
  '1 h sessions, a /16 each': 0.9096,
}
const DRAW = 0.0002

export function missesOfWeek({ name, alive }: Census): string[] {
  const before = ALIVE_BEFORE[name]!
  return alive >= before - DRAW ? [] : [`${name}: ${alive} of what was handed out alive, ${before} by a fixed interval`]
}

/** Fewer dead for as many dials, and nothing dead for long. */
export function missesOfComparison(byAge: Census, fixed: Census, leastGain: number): string[] {
  const { name, longestDead } = byAge
  const [gain, dials] = [1 - (1 - byAge.alive) / (1 - fixed.alive), byAge.dials / fixed.dials]
  return [
    ...(gain >= leastGain ? [] : [`${name}: ${gain} fewer dead, wanted ${leastGain}`]),
    ...(Math.abs(dials - 1) <= 0.03 ? [] : [`${name}: ${dials} times the dials of a fixed interval`]),
    ...(longestDead <= 20 * MINUTE ? [] : [`${name}: an address dead for ${longestDead / MINUTE} min handed out`]),
  ]
}

/** All within an hour, and then all for the same share of the time. */
export function missesOfCrowd({ name, allListedAfter, least, most, status, oldest }: CrowdResult): string[] {
  return [
    ...(allListedAfter <= 60 * MINUTE ? [] : [`${name}: the last one eligible after ${allListedAfter / MINUTE} min`]),
    ...(least >= 0.9 * most && least > 0.6 ? [] : [`${name}: eligible for ${least} to ${most} of the time`]),
    ...(Math.abs(status - (least + most) / 2) <= 0.03 ? [] : [`${name}: the status says ${status}`]),
    ...(oldest <= 20 * MINUTE ? [] : [`${name}: a proof of ${oldest / MINUTE} min ago counted`]),
  ]
}

/** The same for an attacker's part. So many sigmas over the bound are a miss; few draws can't tell less. */
export function missesOfEclipse(
  { layout, place, ages, share, error, fair, alone }: EclipseResult,
  sigmas: number,
): string[] {
  const name = `28 addresses in ${place}, the honest ${layout}, ${ages}`
  return [
    ...(share - sigmas * error <= fair + MARGIN ? [] : [`${name}: ${share} of the answers, ${fair} of the groups`]),
    ...(alone === 0 ? [] : [`${name}: ${alone} answers with nobody else`]),
  ]
}
