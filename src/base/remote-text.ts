/** Enough to recognise what a peer sent; a thousand of them still fit on a screen of a log viewer. */
const MAX_LOGGED_CHARACTERS = 200

/**
 * Text from the network or from a file, fit for a log line: whatever could move a cursor, colour a terminal, turn
 * the reading direction or begin a line of its own is shown as `\u{…}`, and the rest is cut after `max` characters.
 */
export function remoteText(text: string, max: number = MAX_LOGGED_CHARACTERS): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.toWellFormed().replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** Controls (C0, DEL, C1), format characters (bidi, zero-width, tags), line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
