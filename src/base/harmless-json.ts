/** `JSON.stringify`, see {@link harmlessJson}. */
export function stringifyHarmless(value: unknown): string {
  return harmlessJson(JSON.stringify(value))
}

/**
 * Makes JSON text safe for a terminal, by escapes that any parser undoes: `JSON.stringify` escapes C0 controls and leaves DEL, C1
 * (U+009B begins a control sequence), bidi, zero-width and tag characters, and separators of lines and paragraphs.
 */
export function harmlessJson(text: string): string {
  return text.replace(STEERING, (character) => character.split('').map(escaped).join(''))
}

const STEERING = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
