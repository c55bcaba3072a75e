// Checks the options of a public function or class: kinds, ranges, and the message of the TypeError.

import { isMultiaddr } from '@multiformats/multiaddr'
import { didYouMean } from './did-you-mean.ts'

/** Checks one value. Returns what is wrong with it and what to write instead, one line; undefined when it is right. */
export type Kind = (value: unknown, name: string) => string | undefined

/** The kind of each option of a module; the type keeps it complete. */
export type OptionTable<Init> = { readonly [Name in keyof Required<Init>]: Kind }

export interface ModuleOptions<Init> {
  readonly table: OptionTable<Init>
  /** How the options are written, such as `{ target: 8 }`. */
  readonly example: string
  /** What other libraries, and people, call an option: its name here, by the other name in lower case. */
  readonly otherNames?: Readonly<Record<string, keyof Init & string>>
}

/**
 * Throws a TypeError for the first option that is not what it can be, and for one that does not exist. An option that
 * is undefined counts as left out.
 */
export function checkOptions<Init extends object>(
  module: string,
  init: unknown,
  { table, example, otherNames = {} }: ModuleOptions<Init>,
): void {
  if (!isRecord(init)) {
    refuse(module, `the options are ${shown(init)}; write an object: ${example}`)
  }
  if (Object.hasOwn(init, 'components')) {
    refuse(module, `it was given to libp2p without being called; write ${module}(${example})`)
  }
  for (const name of Object.keys(init)) {
    if (!Object.hasOwn(table, name)) {
      refuse(module, unknownOption(name, Object.keys(table), otherNames))
    }
    const value = init[name]
    const fault = value === undefined ? undefined : table[name as keyof Init](value, name)
    if (fault !== undefined) {
      refuse(module, fault)
    }
  }
}

/** Throws a TypeError when an argument is not what it can be. */
export function checkArgument(module: string, name: string, value: unknown, kind: Kind): void {
  const fault = kind(value, name)
  if (fault !== undefined) {
    refuse(module, fault)
  }
}

export function refuse(module: string, fault: string): never {
  throw new TypeError(`${module}: ${fault}`)
}

/** The line about a value: `<name> is <value>; write <instead>`. */
export function wrong(name: string, value: unknown, instead: string): string {
  return `${name} is ${shown(value)}; write ${instead}`
}

/** A string. `problemOf` says what is wrong with one, and what to write. */
export function text(example: string, problemOf: (value: string) => string | undefined = () => undefined): Kind {
  return (value, name) => {
    if (typeof value !== 'string') {
      return wrong(
        name,
        value,
        isMultiaddr(value) ? 'it as a string: String(multiaddr)' : `a string, such as '${example}'`,
      )
    }
    const problem = problemOf(value)
    return problem === undefined ? undefined : `${name} is ${shown(value)}; ${problem}`
  }
}

/** The path of a file. An empty one is most often a variable that is not set. */
export function path(example: string): Kind {
  return (value, name) =>
    typeof value === 'string' && value !== '' && !value.includes('\0')
      ? undefined
      : wrong(name, value, `the path of a file, such as ${name}: '${example}', or leave ${name} out`)
}

/** Text of at most `maxBytes` of UTF-8: the name of a network. */
export function shortText(maxBytes: number): Kind {
  return text('mychain', (value) => {
    const bytes = Buffer.byteLength(value)
    return bytes > maxBytes
      ? `it has ${bytes} bytes of UTF-8; write a name of at most ${maxBytes}`
      : value.isWellFormed()
        ? undefined
        : 'it holds half a surrogate pair, which is not Unicode; write a name that is'
  })
}

/** An array of strings, each as {@link text} has them. */
export function texts(example: string, problemOf?: (item: string) => string | undefined): Kind {
  const item = text(example, problemOf)
  return (value, name) => {
    if (typeof value === 'string') {
      const items = value.split(/[\s,]+/).filter((each) => each !== '')
      const written = (items.length === 0 ? [example] : items).map((each) => JSON.stringify(each)).join(', ')
      return `${name} is ${shown(value)}, a string; write an array of strings: ${name}: [${written}]`
    }
    return Array.isArray(value)
      ? Array.from(value, (each, i) => item(each, `${name}[${i}]`)).find((fault) => fault !== undefined)
      : wrong(name, value, `an array of strings: ${name}: ['${example}']`)
  }
}

export interface Range {
  readonly min: number
  readonly max: number
  /** What the number counts; undefined counts things, and takes whole numbers only. */
  readonly unit?: 'ms' | 's'
  readonly example: number
}

/** A number. When it is in seconds instead of milliseconds, or the other way round, and the range shows it, it says so. */
export function number({ min, max, unit, example }: Range): Kind {
  const fits = (value: number) => value >= min && value <= max && (unit === 'ms' || Number.isInteger(value))
  const bounds = `from ${min} to ${max}`
  const sort = unit === undefined ? 'a whole number' : `a number of ${UNITS[unit].name}`
  return (value, name) => {
    if (typeof value === 'number' && fits(value)) {
      return undefined
    }
    const is = `${name} is ${shown(value)}${typeof value === 'string' ? ', a string' : ''}`
    const read = typeof value === 'string' && value !== '' ? Number(value) : value
    if (typeof read === 'number' && fits(read)) {
      return `${is}; write ${sort} ${bounds}, without quotes: ${name}: ${read}`
    }
    if (typeof read === 'number' && unit !== undefined && fits(UNITS[unit].from(read))) {
      const { name: right, other, from } = UNITS[unit]
      return `${is}; it is in ${right}, ${bounds}: for ${read} ${other} write ${name}: ${from(read)}`
    }
    return `${is}; write ${sort} ${bounds}, such as ${name}: ${example}`
  }
}

/** A unit, and the one that it is mistaken for. */
const UNITS = {
  ms: { name: 'milliseconds', other: 'seconds', from: (seconds: number) => seconds * 1000 },
  s: { name: 'seconds', other: 'milliseconds', from: (ms: number) => ms / 1000 },
} as const

export const toggle: Kind = (value, name) =>
  typeof value === 'boolean' ? undefined : wrong(name, value, `true or false, without quotes`)

export function callback(example: string): Kind {
  return (value, name) =>
    typeof value === 'function' ? undefined : wrong(name, value, `a function: ${name}: ${example}`)
}

/** An object with these methods or other members; `what` it should be. Its value is not shown: it may be a secret. */
export function objectWith(members: readonly string[], what: string): Kind {
  return (value, name) =>
    isRecord(value) && members.every((member) => (value as Record<string, unknown>)[member] !== undefined)
      ? undefined
      : `${name} is ${sortOf(value)}; write ${what}`
}

export function oneOf(...words: readonly string[]): Kind {
  return (value, name) =>
    words.includes(value as string) ? undefined : wrong(name, value, words.map((word) => `'${word}'`).join(' or '))
}

/** The longest part of a value that is shown, characters. */
const MAX_SHOWN = 120

/** A value on one line: as it would be written, or what sort of thing it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : sortOf(value)
}

function sortOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value)
  }
  if (typeof value !== 'object') {
    return `a ${typeof value}`
  }
  if (value instanceof Promise) {
    return 'a Promise, which needs an await'
  }
  const name = isMultiaddr(value) ? 'Multiaddr' : Object.getPrototypeOf(value)?.constructor?.name
  return Array.isArray(value) ? 'an array' : ['Object', '', undefined].includes(name) ? 'an object' : `a ${name}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise)
}

function unknownOption(name: string, known: readonly string[], otherNames: Readonly<Record<string, string>>): string {
  const alias = name.toLowerCase()
  const meant = Object.hasOwn(otherNames, alias) ? otherNames[alias] : didYouMean(name, known)
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`
  return `there is no option ${shown(name)}${guess} (it has ${known.join(', ')})`
}
