import type { Row, Skipped } from './measure.ts'

const NOTE_INDENT = '    '
const NAME_WIDTH = 72

/** A row as a line for people, and what went on below it. */
export function lineOf(row: Row | Skipped): string {
  if ('skipped' in row) {
    return `${row.name.padEnd(NAME_WIDTH)} skipped: ${row.skipped}`
  }
  const { name, unit, ours, baseline, ratio, bound, note } = row
  const figure = `${ours.toFixed(ours < 100 ? 3 : 0)} ${unit}`
  const against = baseline === undefined ? '' : `against ${baseline.toFixed(3)}: ${ratio!.toFixed(2)}`
  const missed = bound !== undefined && (ratio ?? ours) > bound
  const wanted = bound === undefined ? '' : `wanted ${bound}${missed ? ', MISSED' : ''}`
  const line = `${name.padEnd(NAME_WIDTH)} ${figure.padStart(16)}  ${against.padEnd(22)} ${wanted}`.trimEnd()
  return note === undefined ? line : `${line}\n${NOTE_INDENT}${note}`
}
