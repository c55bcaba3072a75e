import type { Census } from './census.ts'
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
