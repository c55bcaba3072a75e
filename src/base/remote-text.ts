// Makes text from remote peers safe for a log line or a terminal.

/** Enough characters to recognise what a peer sent; a thousand of them still fit on a screen of a log viewer. */
const MAX_LOGGED_CHARACTERS = 200

/**
 * Makes text from the network or from a file safe for a log line: characters that could move a cursor, colour a
 * terminal, change the reading direction or begin a new line are shown as `\u{…}`, and the rest is cut after `max`
 * characters.
 */
export function remoteText(text: string, max: number = MAX_LOGGED_CHARACTERS): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.toWellFormed().replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** Controls (C0, DEL, C1), format characters (bidi, zero-width, tags), line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
