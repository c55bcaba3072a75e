import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { REFRESH_INTERVAL_MS } from '../../src/client/discovery/discovery-init.ts'
import { CALL_TIMEOUT_MS } from '../../src/client/exchange.ts'
import { BootstrapClient, bootstrapDiscovery, peerKeeper, RendezvousClient } from '../../src/client/index.ts'
import { PING_INTERVAL_MS } from '../../src/client/keeper/keeper-init.ts'
import { TARGET } from '../../src/client/keeper-link.ts'
import { bootstrapService, withHost } from '../../src/index.ts'
import {
  DEFAULT_TTL_MS,
  MAX_CONNECTIONS,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  PROOF_CPU_PERCENT,
  REPROVE_INTERVAL_MS,
} from '../../src/peer/limits.ts'

const ROOT = new URL('../../', import.meta.url)
const FILE = new URL('docs/client.md', ROOT)

/** What a docstring may link to. */
const CONSTANTS: Readonly<Record<string, number>> = {
  CALL_TIMEOUT_MS,
  DEFAULT_TTL_MS,
  MAX_CONNECTIONS,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  PING_INTERVAL_MS,
  PROOF_CPU_PERCENT,
  REFRESH_INTERVAL_MS,
  REPROVE_INTERVAL_MS,
  TARGET,
}

interface Option {
  readonly name: string
  readonly type: string
  readonly help: string
}

/** The tables of options in the document, written from the types and their docstrings. */
const OPTIONS: Readonly<Record<string, readonly Option[]>> = {
  bootstrapDiscovery: [
    ...optionsOf('src/client/discovery/bootstrap-list.ts', 'BootstrapSources'),
    ...optionsOf('src/client/discovery/discovery-init.ts', 'BootstrapDiscoveryInit'),
  ],
  peerKeeper: optionsOf('src/client/keeper/keeper-init.ts', 'PeerKeeperInit'),
  BootstrapClient: optionsOf('src/client/bootstrap-client.ts', 'BootstrapClientInit'),
  RendezvousClient: optionsOf('src/client/rendezvous-options.ts', 'RendezvousClientInit'),
  createBootstrapPeer: optionsOf('src/node.ts', 'BootstrapPeerInit'),
  bootstrapService: optionsOf('src/service/service-init.ts', 'BootstrapServiceInit'),
  withHost: optionsOf('src/host/host-init.ts', 'HostInit'),
}

/** The tables of events, written by hand: they have to name each event, and no other. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  bootstrapDiscovery: namesIn('src/client/discovery/discovery-events.ts', /readonly type: '(\w+)'/g),
}

describe('docs/client.md', () => {
  for (const [module, options] of Object.entries(OPTIONS)) {
    it(`has the options of ${module}`, () => {
      const part = new RegExp(`(<!-- options of ${module}: [^\\n]* -->\\n)(.*?)(<!-- /options -->)`, 's')
      const expected = `\n${table(options)}\n\n`
      const document = readFileSync(FILE, 'utf8')
      const written = part.exec(document)?.[2]
      assert.ok(written !== undefined, `there is no table of ${module}`)
      if (process.env.UPDATE_DOCS === '1') {
        writeFileSync(
          FILE,
          document.replace(part, (_, begin, __, end) => begin + expected + end),
        )
        return
      }
      assert.equal(written, expected, 'write it anew: UPDATE_DOCS=1 node --test test/docs/client.test.ts')
    })
  }

  for (const [module, events] of Object.entries(EVENTS)) {
    it(`has the events of ${module}`, () => {
      const part = new RegExp(`<!-- events of ${module} -->\n(.*?)\n\n`, 's').exec(readFileSync(FILE, 'utf8'))?.[1]
      const documented = Array.from(part!.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name)
      assert.ok(events.length > 2)
      assert.deepEqual(documented.sort(), [...events].sort())
    })
  }
})

describe('the ranges that docstrings name', () => {
  const AT = '/ip4/203.0.113.7/tcp/4000/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
  const node = { peerId: {}, dial: () => {}, dialProtocol: () => {} } as never
  const makers: Readonly<Record<string, (init: object) => unknown>> = {
    bootstrapDiscovery: (init) => bootstrapDiscovery({ bootstraps: [AT], ...init }),
    peerKeeper,
    BootstrapClient: (init) => new BootstrapClient(node, AT, init),
    RendezvousClient: (init) => new RendezvousClient(node, AT, init),
    bootstrapService,
    withHost: (init) => withHost({}, init),
  }
  for (const [module, make] of Object.entries(makers)) {
    for (const { name, help } of OPTIONS[module]!.filter(({ type }) => type === 'number')) {
      it(`are those that ${module} checks: ${name}`, () => {
        const [, ...ends] = /\b([\d,]+) to ([\d,]+)\b/.exec(help) ?? []
        const [least, most] = ends.map((text) => Number(text.replaceAll(',', ''))) as [number, number]
        assert.ok(least < most, help)
        for (const right of [least, most]) {
          make({ [name]: right })
        }
        for (const wrong of [least - 1, most + 1]) {
          assert.throws(() => make({ [name]: wrong }), TypeError)
        }
      })
    }
  }
})

/** The members of an interface in a source file. Each has to have a docstring. */
function optionsOf(file: string, name: string): Option[] {
  const source = readFileSync(new URL(file, ROOT), 'utf8')
  const [, body] = new RegExp(`export interface ${name}\\b[^{]*\\{\n(.*?)\n\\}`, 's').exec(source)!
  const members = [...body!.matchAll(/^ {2}readonly (\w+)\?: /gm)].map(([, member]) => member!)
  const documented = [...body!.matchAll(/^ {2}\/\*\*(.*?)\*\/\n {2}readonly (\w+)\?: ([^\n]+)$/gms)]
  assert.deepEqual(
    documented.map(([, , member]) => member),
    members,
    `each option of ${name} has a docstring`,
  )
  return documented.map(([, docstring, member, type]) => ({
    name: member!,
    type: type!.replaceAll('readonly ', ''),
    help: helpOf(docstring!),
  }))
}

/** A docstring in one line, with the values of the constants that it links to. */
function helpOf(docstring: string): string {
  return docstring
    .replaceAll(/\n {3}\*/g, ' ')
    .replaceAll(/\{@link (\w+)\}/g, (_, constant) => {
      assert.ok(CONSTANTS[constant] !== undefined, constant)
      // As the house writes numbers: 7200, and 86,400.
      return CONSTANTS[constant].toLocaleString('en', { useGrouping: 'min2' })
    })
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function table(options: readonly Option[]): string {
  const rows = options.map(({ name, type, help }) => [`\`${name}\``, `\`${type}\``, help])
  return [['option', 'type', ''], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function namesIn(file: string, pattern: RegExp): string[] {
  return Array.from(readFileSync(new URL(file, ROOT), 'utf8').matchAll(pattern), ([, name]) => name!)
}
