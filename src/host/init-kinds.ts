// Checks that the options of the host and of the service share.

import { didYouMean } from '../base/did-you-mean.ts'
import { type Kind, oneOf, texts, wrong } from '../base/option-kinds.ts'
import { canonicalPeerId } from '../peer/peer-id.ts'
import { parseRange } from '../policy/access-list.ts'
import { OPTIMIZATIONS, PROTECTIONS } from './switches.ts'

/** Rules for an access list. A mistyped range would be taken as a PeerId that does not exist, and have no effect. */
export const accessRules: Kind = texts('203.0.113.0/24', (rule) =>
  parseRange(rule) !== undefined || canonicalPeerId(rule) === rule
    ? undefined
    : 'write a PeerId (12D3Koo…), an IP, or a range of IPs such as 203.0.113.0/24',
)

/** {@link Disabled}: names of protections and of optimizations. */
export const disabledParts: Kind = (value, name) => {
  const example = `${name}: { protections: ['groups'] }`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(name, value, `an object: ${example}`)
  }
  for (const [kind, parts] of Object.entries(value)) {
    const names = Object.hasOwn(NAMES, kind) ? NAMES[kind]! : undefined
    if (names === undefined) {
      return `${name} has no ${JSON.stringify(kind)}; write ${Object.keys(NAMES).join(' or ')}: ${example}`
    }
    const fault = parts === undefined ? undefined : partsFault(parts, `${name}.${kind}`, names)
    if (fault !== undefined) {
      return fault
    }
  }
  return undefined
}

const NAMES: Readonly<Record<string, readonly string[]>> = { protections: PROTECTIONS, optimizations: OPTIMIZATIONS }

function partsFault(parts: unknown, name: string, names: readonly string[]): string | undefined {
  if (!Array.isArray(parts)) {
    return wrong(name, parts, `an array of names: ${name}: ['${names[0]}']`)
  }
  const unknown = parts.findIndex((part) => !names.includes(part))
  if (unknown === -1) {
    return undefined
  }
  const part = parts[unknown]
  const meant = typeof part === 'string' ? didYouMean(part, names) : undefined
  return meant === undefined
    ? oneOf(...names)(part, `${name}[${unknown}]`)
    : `${wrong(`${name}[${unknown}]`, part, `'${meant}'`)}`
}
