// Decodes UTF-8 and JSON from remote peers without throwing, and reads members of the result; for the codecs.

/** What JSON from a remote peer may be, checked by type. Pure. */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Returns the text of UTF-8 bytes; undefined when they are not UTF-8. A byte order mark stays in it. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Returns what JSON text says; undefined when it is not JSON, which JSON itself cannot say. */
export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property; undefined for what the object only inherits, which the remote peer did not send. */
export function member(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
