// Names the entries of an edited list that cannot be used, by line.

import { type AddressFault, MAX_ADDRESS_BYTES, parseAddress } from '../../peer/address.ts'
import { MAX_NETWORK_BYTES } from '../../peer/limits.ts'
import type { UselessEntries } from '../store.ts'
import { type DecodedList, decodeNetwork, isDynamic, isObject } from './entry-codec.ts'

/** The most entries that are named: an operator corrects a few lines, and then looks again. */
const MAX_NAMED = 10

/** The positions of unusable entries in the list that `bytes` holds, and what is wrong with each. */
export function nameUseless(bytes: Buffer, useless: DecodedList['useless']): UselessEntries {
  const first = useless.slice(0, MAX_NAMED)
  const lines = linesOf(first.length === 0 ? '' : bytes.toString(), new Set(first.map(({ index }) => index)))
  return {
    count: useless.length,
    named: first.map(({ index, json }) => ({ line: lines.get(index)!, reason: reasonOf(json) })),
  }
}

/** For the operator: `line 3 (its port is not a number from 1 to 65535), line 7 (…) and 12 more`. */
export function uselessText({ count, named }: UselessEntries): string {
  const shown = named.map(({ line, reason }) => `line ${line} (${reason})`).join(', ')
  return count === named.length ? shown : `${shown} and ${count - named.length} more`
}

/** Returns why an entry cannot be used. */
function reasonOf(json: unknown): string {
  if (!isObject(json)) {
    return 'it is not a JSON object'
  }
  if (typeof json.address !== 'string') {
    return 'it has no address'
  }
  if (decodeNetwork(json.network) === undefined) {
    return `its network is not a text of at most ${MAX_NETWORK_BYTES} bytes`
  }
  const parsed = parseAddress(json.address)
  if (typeof parsed === 'string') {
    return ADDRESS_REASONS[parsed]
  }
  if (parsed.address === undefined) {
    return 'its address has no IP'
  }
  if (parsed.peerId === undefined && isDynamic(json)) {
    return 'a registration ends with /p2p/<PeerId>; an entry of yours has neither registeredAt nor expiresAt'
  }
  return 'what follows /p2p/ is not a PeerId'
}

const ADDRESS_REASONS: Readonly<Record<AddressFault, string>> = {
  address_too_long: `its address is longer than ${MAX_ADDRESS_BYTES} bytes`,
  address_invalid: 'its address is not /ip4/<IP>/tcp/<port>, /ip6/<IP>/tcp/<port> or <IP>:<port>',
  address_unsupported: 'its address is not a literal IP with TCP',
  address_not_canonical: 'the IP or the port of its address is not in its canonical form',
  port_invalid: 'its port is not a number from 1 to 65535',
}

/** The lines, from 1, on which those entries of a JSON array begin. `text` is one: it was parsed. */
function linesOf(text: string, wanted: ReadonlySet<number>): Map<number, number> {
  const lines = new Map<number, number>()
  let [line, depth, index] = [1, 0, -1]
  let expected = false
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '\n') {
      line += 1
      continue
    }
    if (depth === 1 && expected && token !== ']') {
      index += 1
      expected = false
      if (wanted.has(index)) {
        lines.set(index, line)
        if (lines.size === wanted.size) {
          break
        }
      }
    }
    if (token === '[' || token === '{') {
      depth += 1
      expected ||= depth === 1
    } else if (token === ']' || token === '}') {
      depth -= 1
    } else if (token === ',' && depth === 1) {
      expected = true
    }
  }
  return lines
}

/** A string as a whole, what opens and closes, or a number, `true`, `false` or `null`. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},\n]|[^\s"[\]{},:]+/g
