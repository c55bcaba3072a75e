import { isIPv4, isIPv6 } from 'node:net'
import { parseAddress } from '../../peer/address.ts'
import { MAX_NETWORK_BYTES } from '../../peer/limits.ts'
import { canonicalPeerId } from '../../peer/peer-id.ts'
import { parseRange } from '../../policy/access-list.ts'

/** One kind of value of a setting: how it is written in a flag, in a variable and in the config file. */
export interface Kind<T> {
  /** The placeholder in the help, such as `<file>`. Empty for a switch. */
  readonly placeholder: string
  /** Given several times: one flag each, comma-separated in a variable, an array in the file. */
  readonly repeatable: boolean
  /** Converts texts from flags or a variable to the JSON value that they stand for. */
  fromTexts(texts: readonly string[]): unknown
  /** Reads a JSON value; returns the value, or what is wrong with it in words that follow the value. */
  read(json: unknown): { readonly value: T } | { readonly fault: string }
  /** The inverse of `read`. */
  toJson(value: T): unknown
}

/** A text that passes `check`, which returns what is wrong with it. */
export function text(placeholder: string, check: (text: string) => string | undefined): Kind<string> {
  return {
    placeholder,
    repeatable: false,
    fromTexts: ([only]) => only,
    read: (json) => {
      const fault = typeof json === 'string' ? check(json) : 'is not a string'
      return fault === undefined ? { value: json as string } : { fault }
    },
    toJson: (value) => value,
  }
}

/** Several texts. `min` and `max` bound their number. */
export function list<T extends string>(item: Kind<T>, { min, max }: { min: number; max: number }): Kind<readonly T[]> {
  return {
    placeholder: item.placeholder,
    repeatable: true,
    // `""` stands for the empty name, which a shell or a variable cannot show.
    fromTexts: (texts) => texts.map((one) => (one === '""' ? '' : one)),
    read: (json) => {
      if (!Array.isArray(json)) {
        return { fault: 'is not an array of strings' }
      }
      if (json.length < min || json.length > max) {
        return { fault: `has ${json.length} values, not ${min} to ${max}` }
      }
      const values: T[] = []
      for (const one of json) {
        const result = item.read(one)
        if ('fault' in result) {
          return json.length === 1 ? result : { fault: `holds ${JSON.stringify(one)}, which ${result.fault}` }
        }
        values.push(result.value)
      }
      return { value: [...new Set(values)] }
    },
    toJson: (value) => [...value],
  }
}

/** A whole number from `min` to `max`. */
export function count({ min, max, placeholder = '<count>' }: CountInit): Kind<number> {
  return {
    placeholder,
    repeatable: false,
    fromTexts: ([only]) => (only !== undefined && /^\d{1,15}$/.test(only) ? Number(only) : only),
    read: (json) =>
      typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max
        ? { value: json }
        : { fault: `is not a whole number from ${min} to ${max}` },
    toJson: (value) => value,
  }
}

interface CountInit {
  readonly min: number
  readonly max: number
  readonly placeholder?: string
}

/** A duration in ms; written as a whole number with its unit, such as `15m`. */
export function duration({ min, max }: { min: string; max: string }): Kind<number> {
  const [least, most] = [milliseconds(min)!, milliseconds(max)!]
  return {
    placeholder: '<duration>',
    repeatable: false,
    fromTexts: ([only]) => only,
    read: (json) => {
      const value = typeof json === 'string' ? milliseconds(json) : undefined
      return value !== undefined && value >= least && value <= most
        ? { value }
        : { fault: `is not a duration from ${min} to ${max}; its unit is one of ${Object.keys(UNITS).join(', ')}` }
    },
    toJson: durationText,
  }
}

/** One of a closed set of words. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    placeholder: `<${words.join('|')}>`,
    repeatable: false,
    fromTexts: ([only]) => only,
    read: (json) => {
      const value = words.find((word) => word === json)
      return value !== undefined ? { value } : { fault: `is not one of ${words.join(', ')}` }
    },
    toJson: (value) => value,
  }
}

/** On or off. A flag may omit the value. */
export function toggle(): Kind<boolean> {
  return {
    placeholder: '',
    repeatable: false,
    fromTexts: ([only]) => (only === 'true' ? true : only === 'false' ? false : only),
    read: (json) => (typeof json === 'boolean' ? { value: json } : { fault: 'is neither true nor false' }),
    toJson: (value) => value,
  }
}

export function filePath(): Kind<string> {
  return text('<file>', (path) => (isPath(path) ? undefined : 'is not the path of a file'))
}

export function directoryPath(): Kind<string> {
  return text('<dir>', (path) => (isPath(path) ? undefined : 'is not the path of a directory'))
}

/** An optional one: its default is `undefined`, which a config file says by leaving it out. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return { ...kind, toJson: (value) => (value === undefined ? undefined : kind.toJson(value)) }
}

export function networkName(): Kind<string> {
  return text('<name>', (name) =>
    Buffer.byteLength(name) > MAX_NETWORK_BYTES || !name.isWellFormed()
      ? `is not a text of at most ${MAX_NETWORK_BYTES} bytes`
      : undefined,
  )
}

/** A TCP address to listen on; port 0 lets the system choose. */
export function listenAddress(): Kind<string> {
  return text('<multiaddr>', (address) =>
    isTcpAddress(address, 0, { ip4: isIPv4, ip6: isIPv6 })
      ? undefined
      : 'is not /ip4/<ip>/tcp/<port> or /ip6/<ip>/tcp/<port>',
  )
}

/** An address that others can dial: of the node itself, or of what forwards to it. */
export function announceAddress(): Kind<string> {
  const hosts = { ip4: isIPv4, ip6: isIPv6, dns: isHostName, dns4: isHostName, dns6: isHostName }
  return text('<multiaddr>', (address) =>
    isTcpAddress(address, 1, hosts)
      ? undefined
      : 'is not /ip4/<ip>/tcp/<port>, /ip6/<ip>/tcp/<port> or /dns4/<name>/tcp/<port> (the /p2p ending is added by itself)',
  )
}

/** The subject of a rule: a PeerId, an IP, or a range of IPs. */
export function accessRule(): Kind<string> {
  return text('<PeerId|IP|range>', (rule) =>
    parseRange(rule) !== undefined || canonicalPeerId(rule) === rule
      ? undefined
      : 'is neither a PeerId (base58btc), nor an IP, nor a range such as 203.0.113.0/24',
  )
}

/** The address of another bootstrap. It is literal, because clients resolve no names that a bootstrap gives them. */
export function bootstrapAddress(): Kind<string> {
  return text('<multiaddr>', (address) => {
    const parsed = parseAddress(address)
    const whole = typeof parsed !== 'string' && parsed.address !== undefined && parsed.peerId !== undefined
    return whole && canonicalPeerId(parsed.peerId) !== undefined
      ? undefined
      : 'is not /ip4/<ip>/tcp/<port>/p2p/<PeerId> or /ip6/<ip>/tcp/<port>/p2p/<PeerId>'
  })
}

function isPath(text: string): boolean {
  return text !== '' && !text.includes('\0')
}

type HostCheck = (host: string) => boolean

function isTcpAddress(address: string, leastPort: number, hosts: Record<string, HostCheck>): boolean {
  const [, family = '', host, port] = /^\/([a-z0-9]+)\/([^/%]+)\/tcp\/(\d{1,5})$/.exec(address) ?? []
  return Object.hasOwn(hosts, family) && hosts[family]!(host!) && Number(port) >= leastPort && Number(port) <= 65535
}

function isHostName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?$/i.test(name)
  )
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function milliseconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  return unit === undefined ? undefined : Number(amount) * UNITS[unit]!
}

function durationText(value: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => value % size === 0) ?? ['ms', 1]
  return `${value / size}${unit}`
}
