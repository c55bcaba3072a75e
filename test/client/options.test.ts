import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import * as client from '../../src/client/index.ts'

// What follows is what a program in plain JavaScript may do.
// biome-ignore lint/suspicious/noExplicitAny: no type stands in its way
const { bootstrapDiscovery, peerKeeper, BootstrapClient, RendezvousClient } = client as any

const ID = '12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
const AT = `/ip4/203.0.113.7/tcp/4000/p2p/${ID}`
const OTHER = '/ip4/203.0.113.7/tcp/4000/p2p/12D3KooWGC6TvWhfagifX6kvxFBrN3ChFvXLMgjUUJtWPWXDXyGn'
const NODE = { peerId: {}, dial: () => {}, dialProtocol: () => {} }

/** How a module is made, with options that are right but for `given`. */
const MAKE: Readonly<Record<string, (given: object) => unknown>> = {
  bootstrapDiscovery: (given) => bootstrapDiscovery({ bootstraps: [AT], ...given }),
  peerKeeper: (given) => peerKeeper(given),
  BootstrapClient: (given) => new BootstrapClient(NODE, AT, given),
  RendezvousClient: (given) => new RendezvousClient(NODE, AT, given),
}

/** Options that are wrong, by module, and what has to be said of them. The first option counts as the one tested. */
const WRONG: Readonly<Record<string, ReadonlyArray<readonly [given: object, says: RegExp]>>> = {
  bootstrapDiscovery: [
    [{ bootstraps: AT }, /bootstraps is "\/ip4.*", a string; write an array of strings: bootstraps: \["\/ip4.*S6kK"\]/],
    [{ bootstraps: `${AT}, ${OTHER}` }, /write an array of strings: bootstraps: \["\/ip4.*S6kK", "\/ip4.*XyGn"\]$/],
    [{ bootstraps: '' }, /bootstraps is "", a string; write an array of strings: bootstraps: \["\/ip4/],
    [{ bootstraps: null }, /bootstraps is null; write an array of strings/],
    [{ bootstraps: multiaddr(AT) }, /bootstraps is a Multiaddr; write an array of strings/],
    [{ bootstraps: [AT, multiaddr(AT)] }, /bootstraps\[1\] is a Multiaddr; write it as a string: String\(multiaddr\)/],
    [{ bootstraps: [undefined] }, /bootstraps\[0\] is undefined; write a string, such as/],
    [{ bootstraps: new Array(1) }, /bootstraps\[0\] is undefined/],
    [{ bootstraps: [''] }, /bootstraps\[0\] is ""; write its multiaddr with its PeerId/],
    [
      { bootstraps: ['203.0.113.7:4000'] },
      /write its multiaddr with its PeerId, such as .*; it is reached over TCP only/,
    ],
    [{ bootstraps: [` ${AT}`] }, /write it without the white space around it/],
    [{ bootstraps: ['/ip4/203.0.113.7/tcp/4000'] }, /write the PeerId of the bootstrap behind it/],
    [{ bootstraps: ['/ip4/203.0.113.7/tcp/4000/p2p/12D3KooW…'] }, /and the whole PeerId/],
    [{ bootstraps: [AT.replace(/tcp\/\d+/, 'tcp/0')] }, /then \/tcp\/<port> and the whole PeerId/],
    [{ bootstraps: [AT.replace('203.0.113.7', 'boot.example')] }, /or \/dns4\/<name>/],
    [{ bootstraps: [AT.replace('4000', '65536')] }, /then \/tcp\/<port>/],
    [{ bootstraps: [`/dns4/boot.example/tcp/443/wss/p2p/${ID}`] }, /it is reached over TCP only/],
    [{ bootstraps: ['/dnsaddr/'] }, /bootstraps\[0\] is "\/dnsaddr\/"/],
    [{ bootstraps: ['/dnsaddr/boot.example/tcp/4000'] }, /, or \/dnsaddr\/<name>; it is reached over TCP only/],
    [{ bootstrapsFile: '' }, /bootstrapsFile is ""; write the path of a file, .* or leave bootstrapsFile out/],
    [{ network: 42 }, /network is 42; write a string, such as 'mychain'/],
    [{ network: 'é'.repeat(128) }, /network is "é+…"; it has 256 bytes of UTF-8; write a name of at most 255/],
    [{ network: '\ud800' }, /half a surrogate pair/],
    [{ cache: '' }, /cache is ""; write the path of a file, such as cache: 'peers-cache\.json', or leave cache out/],
    [{ cache: true }, /cache is true; write the path/],
    [{ cache: 'a\0b' }, /write the path of a file/],
    [{ target: '8' }, /target is "8", a string; write a whole number from 1 to 1000, without quotes: target: 8$/],
    [{ target: 0 }, /target is 0; write a whole number from 1 to 1000, such as target: 8$/],
    [{ target: 1001 }, /target is 1001/],
    [{ refreshInterval: 300 }, /it is in milliseconds, .*: for 300 seconds write refreshInterval: 300000$/],
    [
      { refreshInterval: '5m' },
      /refreshInterval is "5m", a string; write a number of milliseconds from 1000 to 86400000/,
    ],
    [{ refreshInterval: 86_400_001 }, /from 1000 to 86400000, such as refreshInterval: 300000$/],
    [
      { ttl: 7200 },
      /ttl is 7200; it is in milliseconds, from 60000 to 259200000: for 7200 seconds write ttl: 7200000$/,
    ],
    [{ ttl: 59 }, /ttl is 59; write a number of milliseconds from 60000 to 259200000, such as ttl: 7200000$/],
    [{ ttl: 259_200_001 }, /ttl is 259200001; write a number of milliseconds/],
    [{ ttl: Number.NaN }, /ttl is NaN/],
    [{ register: 'false' }, /register is "false"; write true or false/],
    [
      { timeout: 10 },
      /timeout is 10; it is in milliseconds, from 1000 to 600000: for 10 seconds write timeout: 10000$/,
    ],
    [{ timeout: 600_001 }, /timeout is 600001/],
    [{ onEvent: true }, /onEvent is true; write a function: onEvent: \(event\) => console\.log\(event\)$/],
    [{ resolveTxt: {} }, /resolveTxt is an object; write a function/],
    [{ scheduler: { now: Date.now } }, /scheduler is an object; write a Scheduler/],
    [{ random: 4 }, /random is 4; write a function/],
  ],
  peerKeeper: [
    [{ target: 8.5 }, /target is 8\.5; write a whole number from 1 to 1000, such as target: 8$/],
    [{ target: 8n }, /target is a bigint/],
    [{ anchors: '' }, /anchors is ""; write the path of a file, such as anchors: 'anchors\.json'/],
    [{ anchors: new URL('file:///anchors.json') }, /anchors is a URL; write the path/],
    [{ pingInterval: 60 }, /for 60 seconds write pingInterval: 60000$/],
    [{ scheduler: 1 }, /scheduler is a number/],
    [{ random: {} }, /random is an object; write a function/],
  ],
  BootstrapClient: [
    [{ network: ['mychain'] }, /network is an array; write a string/],
    [{ timeout: 10 }, /for 10 seconds write timeout: 10000$/],
  ],
  RendezvousClient: [
    // It may be a secret, so it is not shown.
    [{ privateKey: 'CAESQ' }, /privateKey is a string; write a libp2p private key/],
    [{ privateKey: new Uint8Array(64) }, /privateKey is a Uint8Array/],
    [{ timeout: 10 }, /for 10 seconds write timeout: 10000$/],
    [{ form: 'rust' }, /form is "rust"; write 'standard' or 'routing-state'/],
  ],
}

/** The names that a module says it has. */
function optionsOf(module: string): string[] {
  try {
    MAKE[module]!({ 'no such option at all': 1 })
  } catch (err) {
    return /\(it has (.*)\)$/.exec((err as Error).message)![1]!.split(', ')
  }
  throw new Error(`${module} takes every option`)
}

for (const [module, make] of Object.entries(MAKE)) {
  describe(`the options of ${module}`, () => {
    for (const [given, says] of WRONG[module]!) {
      it(`may not be ${JSON.stringify(given, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))}`, () => {
        assert.throws(() => make(given), refusal(module, says))
      })
    }

    it('are all checked', () => {
      const tested = new Set(WRONG[module]!.map(([given]) => Object.keys(given)[0]))
      assert.deepEqual([...tested].sort(), optionsOf(module).sort())
    })

    it('are an object', () => {
      for (const given of [null, 8, 'mychain', [AT], Promise.resolve({}), () => {}]) {
        const makes: Readonly<Record<string, () => unknown>> = {
          bootstrapDiscovery: () => bootstrapDiscovery(given),
          peerKeeper: () => peerKeeper(given),
          BootstrapClient: () => new BootstrapClient(NODE, AT, given),
          RendezvousClient: () => new RendezvousClient(NODE, AT, given),
        }
        assert.throws(() => makes[module]!(), refusal(module, /^the options are .*; write an object: \{ \w+/))
      }
    })

    it('may be left undefined', () => {
      make(
        Object.fromEntries(
          optionsOf(module)
            .filter((name) => name !== 'bootstraps')
            .map((name) => [name, undefined]),
        ),
      )
    })
  })
}

describe('bootstrapDiscovery', () => {
  it('guesses what a name that it does not have was meant to be', () => {
    const meant = {
      list: 'bootstraps',
      bootstrap: 'bootstraps',
      boostraps: 'bootstraps',
      Bootstraps: 'bootstraps',
      bootnodes: 'bootstraps',
      interval: 'refreshInterval',
      refreshIntervall: 'refreshInterval',
      chain: 'network',
      namespace: 'network',
      onevent: 'onEvent',
      cacheFile: 'cache',
    }
    for (const [name, right] of Object.entries(meant)) {
      const says = new RegExp(`^there is no option "${name}"; did you mean ${right}\\? \\(it has bootstraps, `)
      assert.throws(() => bootstrapDiscovery({ [name]: [AT] }), refusal('bootstrapDiscovery', says))
    }
    for (const name of ['constructor', 'wibble', '__proto__x']) {
      assert.throws(
        () => bootstrapDiscovery({ bootstraps: [AT], [name]: 1 }),
        refusal('bootstrapDiscovery', new RegExp(`^there is no option "${name}" \\(it has bootstraps, `)),
      )
    }
  })

  it('needs something that it can find peers by', () => {
    const never =
      /so it would never find a peer; write bootstraps: \['\/ip4.*'\], or leave the module out of peerDiscovery$/
    for (const init of [{}, { bootstraps: [] }, { bootstraps: undefined, cache: undefined, network: 'mychain' }]) {
      assert.throws(() => bootstrapDiscovery(init), refusal('bootstrapDiscovery', never))
    }
    bootstrapDiscovery({ bootstraps: [], cache: 'peers-cache.json' })
    bootstrapDiscovery({ bootstrapsFile: 'bootstraps.txt' })
  })

  it('takes whatever is at the edge of a range', () => {
    bootstrapDiscovery({
      bootstraps: ['/dnsaddr/boot.example'],
      ttl: 60_000,
      target: 1,
      refreshInterval: 1000,
      timeout: 1000,
    })
    bootstrapDiscovery({
      bootstraps: [`/dnsaddr/boot.example/p2p/${ID}`, `/dns4/boot.example/tcp/4000/p2p/${ID}`],
      network: 'é'.repeat(127),
      ttl: 259_200_000,
      target: 1000,
      refreshInterval: 86_400_000,
      timeout: 600_000,
    })
  })
})

describe('a module that was given to libp2p without being called', () => {
  it('says so', async () => {
    await assert.rejects(
      createLibp2p({ start: false, peerDiscovery: [bootstrapDiscovery] }),
      refusal(
        'bootstrapDiscovery',
        /^it was given to libp2p without being called; write bootstrapDiscovery\(\{ bootstraps/,
      ),
    )
    await assert.rejects(
      createLibp2p({ start: false, services: { peers: peerKeeper } }),
      refusal('peerKeeper', /write peerKeeper\(\{ target: 8 \}\)$/),
    )
  })
})

describe('the arguments of a client', () => {
  const cases: ReadonlyArray<readonly [what: string, args: readonly unknown[], says: RegExp]> = [
    ['no node', [AT], /^the first argument is a string; write a libp2p node: await createLibp2p\(…\)$/],
    [
      'a node that is still being made',
      [Promise.resolve(NODE), AT],
      /^the first argument is a Promise, which needs an await/,
    ],
    ['no address', [NODE], / is undefined; write a string, such as/],
    ['a Multiaddr', [NODE, multiaddr(AT)], / is a Multiaddr; write it as a string: String\(multiaddr\)$/],
    ['an address without PeerId', [NODE, '/ip4/203.0.113.7/tcp/4000'], /it names no peer; write its PeerId behind it/],
    ['no multiaddr', [NODE, `203.0.113.7:4000/p2p/${ID}`], /write a multiaddr, such as/],
  ]
  for (const [what, args, says] of cases) {
    it(`may not be ${what}`, () => {
      assert.throws(() => new BootstrapClient(...args), refusal('BootstrapClient', says))
      assert.throws(() => new RendezvousClient(...args), refusal('RendezvousClient', says))
    })
  }

  it('may be several addresses of one bootstrap, and only one of a rendezvous point', () => {
    assert.equal(new BootstrapClient(NODE, [AT, `/dns4/boot.example/tcp/4000/p2p/${ID}`]).id, ID)
    assert.throws(() => new BootstrapClient(NODE, [AT, OTHER]), refusal('BootstrapClient', /name several peers/))
    assert.throws(
      () => new BootstrapClient(NODE, []),
      refusal('BootstrapClient', /an empty array; write its multiaddrs/),
    )
    assert.throws(
      () => new BootstrapClient(NODE, [AT, multiaddr(AT)]),
      refusal('BootstrapClient', /bootstrap\[1\] is a Mu/),
    )
    assert.throws(
      () => new RendezvousClient(NODE, [AT]),
      refusal('RendezvousClient', /^point is an array; write a string/),
    )
  })

  it('may be a private key of libp2p', async () => {
    new RendezvousClient(NODE, AT, { privateKey: await generateKeyPair('Ed25519'), form: 'routing-state' })
  })
})

describe('a call of BootstrapClient', () => {
  const at = new BootstrapClient(NODE, AT)
  const calls: ReadonlyArray<readonly [call: () => Promise<unknown>, module: string, says: RegExp]> = [
    [() => at.register(AT), 'BootstrapClient.register', /^addresses is ".*", a string; write an array of strings/],
    [
      () => at.register([multiaddr(AT)]),
      'BootstrapClient.register',
      /^addresses\[0\] is a Multiaddr; write it as a string/,
    ],
    // On the wire it takes back.
    [() => at.register([], { ttl: 0 }), 'BootstrapClient.register', /^ttl is 0; write a number of milliseconds/],
    [() => at.register([], { ttl: 3600 }), 'BootstrapClient.register', /: for 3600 seconds write ttl: 3600000$/],
    [() => at.register([], { timeout: 1000 }), 'BootstrapClient.register', /^there is no option "timeout"/],
    [() => at.unregister(AT), 'BootstrapClient.unregister', /^addresses is ".*", a string/],
    [() => at.unregister([], { ttl: 60_000 }), 'BootstrapClient.unregister', /^there is no option "ttl"/],
    [() => at.discover(20), 'BootstrapClient.discover', /^the options are 20; write an object: \{ limit: 20 \}$/],
    [
      () => at.discover({ limit: 1001 }),
      'BootstrapClient.discover',
      /^limit is 1001; write a whole number from 0 to 1000/,
    ],
    [() => at.discover({ explain: 'no' }), 'BootstrapClient.discover', /^explain is "no"; write true or false/],
    [() => at.discover({ signal: 1000 }), 'BootstrapClient.discover', /^signal is a number; write an AbortSignal/],
  ]
  for (const [call, module, says] of calls) {
    it(`is not ${String(call).slice(6)}`, async () => {
      await assert.rejects(call(), refusal(module, says))
    })
  }
})

describe('a call of RendezvousClient', () => {
  const point = new RendezvousClient(NODE, AT)
  const calls: ReadonlyArray<readonly [call: () => Promise<unknown>, method: string, says: RegExp]> = [
    [() => point.register('n', [], { ttl: 7200 }), 'register', /: for 7200 seconds write ttl: 7200000$/],
    [() => point.register('n', [], { signal: 1 }), 'register', /^signal is a number; write an AbortSignal/],
    [() => point.register('n', [], { limit: 1 }), 'register', /^there is no option "limit"/],
    [() => point.discover('n', { limit: 1001 }), 'discover', /^limit is 1001; write a whole number from 0 to 1000/],
    [
      () => point.discover('n', { cookie: 'x' }),
      'discover',
      /^cookie is a string; write the cookie of the page before/,
    ],
    [() => point.discover('n', { ttl: 1 }), 'discover', /^there is no option "ttl"/],
  ]
  for (const [call, method, says] of calls) {
    it(`is not ${String(call).slice(6)}`, async () => {
      await assert.rejects(call(), refusal(`RendezvousClient.${method}`, says))
    })
  }
})

/** A TypeError of that module whose text behind the module's name is so. */
function refusal(module: string, says: RegExp): (err: Error) => true {
  return (err) => {
    assert.equal(err.name, 'TypeError', String(err))
    assert.ok(err.message.startsWith(`${module}: `), err.message)
    assert.match(err.message.slice(module.length + 2), says)
    return true
  }
}
