import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Libp2p } from 'libp2p'
import { VERDICT_TIMEOUT_MS, WRITE_TIMEOUT_MS } from '../../src/frontends/exchanges/exchange.ts'
import { LINGER_MS, MAX_STREAMS } from '../../src/frontends/exchanges/exchanges.ts'
import {
  MAX_EXCHANGES_OF_IP,
  MAX_EXCHANGES_OF_SUBNET,
  READ_TIMEOUT_MS,
  SHORTEST_READ_TIMEOUT_MS,
} from '../../src/frontends/exchanges/places.ts'
import { BootstrapPeer } from '../../src/node.ts'
import { MAX_ADDRESS_BYTES } from '../../src/peer/address.ts'
import * as limits from '../../src/peer/limits.ts'
import { REFUSAL_CODES, refusal } from '../../src/policy/refusal.ts'
import { LONGEST_WAIT_MS, REQUEST_LIMITS } from '../../src/policy/request-limits.ts'
import * as codec from '../../src/wire/bootstrap-codec.ts'
import { addressOf, exchange, startPeer } from '../support/peers.ts'

const ROOT = new URL('../../', import.meta.url)
const FILE = new URL('docs/protocol.md', ROOT)

/** `part` of the document is written by this test. */
const GENERATED: Readonly<Record<string, () => string>> = {
  refusals: () =>
    table(
      ['code', 'says'],
      REFUSAL_CODES.map((code) => [`\`${code}\``, refusal(code).message]),
    ),
  limits: () => table(['what', 'at most'], LIMITS),
  go: () => program('go', 'examples/go/main.go'),
  rust: () => program('rust', 'examples/rust/src/main.rs'),
  python: () => program('python', 'examples/python/main.py'),
}

const LIMITS: ReadonlyArray<readonly [string, string]> = [
  ['a line, without its line end', `${codec.MAX_LINE_BYTES} bytes`],
  ['requests of a stream, and blank lines between them', `${limits.MAX_REQUESTS}, and as many`],
  ['streams of a connection at a time', `${MAX_STREAMS}; others are reset`],
  ['addresses of a request, and of a peer in one network', `${limits.MAX_ADDRESSES}`],
  ['an address', `${MAX_ADDRESS_BYTES} bytes`],
  ['the name of a network', `${limits.MAX_NETWORK_BYTES} bytes of UTF-8`],
  [
    '`ttl`',
    `${limits.MAX_TTL_MS / 1000} s; at least ${limits.MIN_TTL_MS / 1000} s; default ${limits.DEFAULT_TTL_MS / 1000} s`,
  ],
  ['peers of an answer, the caller not counted', `${limits.MAX_LIMIT}; default ${limits.DEFAULT_LIMIT}`],
  ['an answer', `${limits.DEFAULT_ANSWER_BYTES / 1024} KiB; with a \`limit\`, ${limits.MAX_ANSWER_BYTES / 1024} KiB`],
  [
    'time for a line to arrive, from when it is asked for',
    `${READ_TIMEOUT_MS / 1000} s; ${SHORTEST_READ_TIMEOUT_MS / 1000} s on a bootstrap that is full`,
  ],
  ['streams of a public IPv4 address or IPv6 /56 at a time', `${MAX_EXCHANGES_OF_IP}`],
  ['streams of a public IPv4 /24 or IPv6 /48 at a time', `${MAX_EXCHANGES_OF_SUBNET}`],
  ['time for the verdicts of a registration', `${VERDICT_TIMEOUT_MS / 1000} s`],
  ['time in a queue before `rate_limited`', `${LONGEST_WAIT_MS / 1000} s`],
  ['time for the client to take more of an answer', `${WRITE_TIMEOUT_MS / 1000} s; then the stream is reset`],
  ['time for the client to close its side, once all is answered', `${LINGER_MS / 1000} s; then the stream is reset`],
  ['requests of a peer', rate(REQUEST_LIMITS.peer)],
  ['requests from an IPv4 address or an IPv6 /64', rate(REQUEST_LIMITS.ip)],
  ['requests from an IPv4 /24 or an IPv6 /48', rate(REQUEST_LIMITS.subnet)],
  ['requests from a private or loopback address', rate(REQUEST_LIMITS.privateIp)],
]

describe('docs/protocol.md', () => {
  const document = readFileSync(FILE, 'utf8')

  for (const [part, generate] of Object.entries(GENERATED)) {
    it(`has the ${part} of the code`, () => {
      const pattern = new RegExp(`(<!-- ${part}: [^\\n]* -->\\n)(.*)(<!-- /${part} -->)`, 's')
      const expected = `\n${generate()}\n\n`
      if (process.env.UPDATE_DOCS === '1') {
        const newest = readFileSync(FILE, 'utf8')
        writeFileSync(
          FILE,
          newest.replace(pattern, (_, begin, __, end) => begin + expected + end),
        )
        return
      }
      assert.equal(
        pattern.exec(document)?.[2],
        expected,
        'write it anew: UPDATE_DOCS=1 node --test test/docs/protocol.test.ts',
      )
    })
  }

  it('has every error code, and no other', () => {
    const section = /\n## Errors\n(.*?)\n## /s.exec(document)![1]!
    const [, codes] = section.split('| code | meaning |')
    const documented = Array.from(codes!.matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code)
    assert.deepEqual(documented, [...codec.ERROR_CODES])
  })

  it('shows the JavaScript client that runs', () => {
    const [, path, code] = /<!-- from (\S+) -->\n```js\n(.*?)```/s.exec(document)!
    assert.ok(
      readFileSync(new URL(path!, ROOT), 'utf8').includes(code!),
      `${path} has another client: copy it into the document`,
    )
  })
})

describe('the examples of docs/protocol.md', () => {
  const now = Date.now()
  const peers: Record<string, Libp2p> = {}
  let bootstrap: BootstrapPeer
  let at: string

  before(async () => {
    bootstrap = new BootstrapPeer({}, { clock: () => now })
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    for (const [n, name] of ['alice', 'bob'].entries()) {
      const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(n + 1))
      peers[name] = await startPeer({ privateKey })
    }
    await exchange(peers.bob!, at, asSent(JSON.stringify({ address: '/ip4/127.0.0.1/tcp/4002' })))
  })

  after(async () => {
    await Promise.all([...Object.values(peers), bootstrap].map((each) => each.stop()))
  })

  const examples = [...readFileSync(FILE, 'utf8').matchAll(/```exchange (\w+)\n(.*?)```/gs)]
  for (const [, name, lines] of examples) {
    const said = (arrow: string) =>
      Array.from(lines!.matchAll(new RegExp(`^${arrow} (.*)$`, 'gm')), ([, text]) => text!)
    const [requests, answers] = [said('→'), said('←')]
    it(`${name}: ${requests.join(' ').slice(0, 60) || 'not a byte'}`, async () => {
      assert.ok(answers.length > 0)
      const answered = await exchange(peers[name!]!, at, asSent(requests.join('\n')))
      assert.equal(asDocumented(answered), `${answers.join('\n')}\n`)
    })
  }

  it('can be had with the client that is shown', async () => {
    const { alice } = peers
    const address = addressOf(alice!)
    const client = await import(new URL('protocol-client.js', import.meta.url).href)
    assert.deepEqual(await client.exchange(alice, at, { address, network: 'js', limit: 0 }), [
      { address: `${address}/p2p/${alice!.peerId}` },
    ])
  })

  /** The document's ports are 4001 and 4002; the tests' are what the system gave. */
  function ports(): ReadonlyArray<readonly [documented: string, actual: string]> {
    return [
      ['4001', addressOf(peers.alice!).split('/').at(-1)!],
      [
        '4002',
        addressOf(peers.bob ?? peers.alice!)
          .split('/')
          .at(-1)!,
      ],
    ]
  }

  function asSent(text: string): string {
    return ports().reduce((sent, [documented, actual]) => sent.replaceAll(documented, actual), text)
  }

  function asDocumented(text: string): string {
    const observed = text.replace(/(?<="observed":"[^"]*\/tcp\/)\d+/, '50000')
    return ports().reduce(
      (answer, [documented, actual]) => answer.replaceAll(`/tcp/${actual}`, `/tcp/${documented}`),
      observed,
    )
  }
})

function rate({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }): string {
  return `${burst} at once, ${perSecond} a second for ever; then \`rate_limited\``
}

/** A program that `npm run test:interop` builds and runs. */
function program(language: string, path: string): string {
  return `\`\`\`${language}\n${readFileSync(new URL(path, ROOT), 'utf8')}\`\`\``
}

function table(head: readonly [string, string], rows: ReadonlyArray<readonly [string, string]>): string {
  return [head, ['---', '---'] as const, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
