import { styleText } from 'node:util'

/** One figure of an attack, and what it must be. */
export interface Figure {
  readonly attack: string
  readonly figure: string
  readonly value: number
  readonly unit: string
  readonly bound: string
  readonly ok: boolean
}

/** A figure that may be this much at most. */
export function atMost(attack: string, figure: string, value: number, bound: number, unit = ''): Figure {
  return {
    attack,
    figure,
    value,
    unit,
    bound: `≤ ${Number.isInteger(bound) ? bound : bound.toFixed(1)}`,
    ok: value <= bound,
  }
}

/** A figure that has to be this much at least. */
export function atLeast(attack: string, figure: string, value: number, bound: number, unit = ''): Figure {
  return { attack, figure, value, unit, bound: `≥ ${bound}`, ok: value >= bound }
}

/** A figure that is shown and judged by nobody. */
export function shown(attack: string, figure: string, value: number, unit = ''): Figure {
  return { attack, figure, value, unit, bound: '', ok: true }
}

export function tableLine({ attack, figure, value, unit, bound, ok }: Figure): string {
  const rounded = Number.isInteger(value) ? value : value.toFixed(1)
  const verdict = bound === '' ? '' : ok ? styleText('green', 'ok') : styleText('red', 'MISSED')
  return [attack.padEnd(18), figure.padEnd(46), `${rounded} ${unit}`.padStart(14), bound.padStart(12), verdict].join(
    '  ',
  )
}

/** The value below which the part `share` of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
