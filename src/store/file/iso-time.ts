// Formats times as ISO 8601, cheaply.

const MS_A_DAY = 86_400_000
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))

/** `2026-11-22T18:14:24.123Z`, as Date's toISOString; several times cheaper where the times lie within a few days. */
export function isoTime(ms: number): string {
  const day = Math.floor(ms / MS_A_DAY)
  const inDay = ms - day * MS_A_DAY
  const seconds = Math.floor(inDay / 1000)
  const hour = TWO_DIGITS[Math.floor(seconds / 3600)]!
  const minute = TWO_DIGITS[Math.floor(seconds / 60) % 60]!
  const millis = inDay - seconds * 1000
  const pad = millis < 10 ? '00' : millis < 100 ? '0' : ''
  return `${dayText(day)}${hour}:${minute}:${TWO_DIGITS[seconds % 60]}.${pad}${millis}Z`
}

// A snapshot formats times of the same few days a million times: registrations live three days at most.
const MAX_DAYS = 16
const days = new Map<number, string>()

function dayText(day: number): string {
  let text = days.get(day)
  if (text === undefined) {
    if (days.size >= MAX_DAYS) {
      days.clear()
    }
    text = new Date(day * MS_A_DAY).toISOString().slice(0, -'00:00:00.000Z'.length)
    days.set(day, text)
  }
  return text
}
