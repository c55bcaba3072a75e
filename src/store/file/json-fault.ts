// Names the line at which a text is not JSON.

/** Longer lists are not searched: each step parses what is before it. */
const MAX_CHARACTERS = 4 << 20

/**
 * Returns why JSON.parse rejects a text, with the line. V8 names no line for the most common mistake, a comma too many:
 * `Unexpected token ']', ..."},\n]" is not valid JSON`.
 */
export function jsonFault(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : String(error)
  const [, token] = /^(Unexpected token '[^']*'), .* is not valid JSON$/s.exec(message) ?? []
  if (token === undefined || text.length > MAX_CHARACTERS) {
    return message
  }
  const lines = text.split('\n')
  let [whole, broken] = [0, lines.length]
  while (broken - whole > 1) {
    const middle = (whole + broken) >> 1
    if (isBroken(lines.slice(0, middle).join('\n'))) {
      broken = middle
    } else {
      whole = middle
    }
  }
  return `${token} in line ${broken}`
}

/** Whether no text that begins so is JSON, as far as V8 says it; only the end may be missing. */
function isBroken(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return false
  } catch (error) {
    return error instanceof Error && error.message.startsWith('Unexpected token ')
  }
}
