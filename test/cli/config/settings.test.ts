import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  configJson,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  settingName,
  settingOf,
  settingVariable,
} from '../../../src/cli/config/settings.ts'
import { ConfigError, type ConfigSources, resolveConfig } from '../../../src/cli/config/sources.ts'
import { MAX_CONNECTIONS, MAX_NETWORKS, MAX_PEERS, REPROVE_INTERVAL_MS } from '../../../src/peer/limits.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = await temporaryFolder({ after })

let files = 0
async function configFile(content: unknown): Promise<string> {
  const file = join(folder, `${files++}.json`)
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

interface Typed {
  readonly flags?: Partial<Record<SettingKey, string[]>>
  readonly env?: ConfigSources['env']
  readonly file?: string
}

function resolve({ flags = {}, env = {}, file }: Typed) {
  return resolveConfig({ flags: new Map(Object.entries(flags) as [SettingKey, string[]][]), env, file })
}

function refuses(typed: Typed, message: RegExp) {
  assert.throws(
    () => resolve(typed),
    (error: unknown) => {
      assert(error instanceof ConfigError, String(error))
      assert.match(error.message, message)
      return true
    },
  )
}

describe('each setting', () => {
  for (const key of SETTING_KEYS) {
    const { kind, example } = settingOf(key)
    const name = settingName(key)

    it(`${name} takes its own default and its own example, however it is given`, async () => {
      const untouched = resolve({})
      assert.deepEqual(untouched.config[key], settingOf(key).default)
      assert.equal(untouched.origins[key], 'default')

      const typed = resolve({ flags: { [key]: [example] } })
      const inEnvironment = resolve({ env: { [settingVariable(key)]: example } })
      const file = await configFile({ [name]: kind.fromTexts([example]) })
      const inFile = resolve({ file })
      assert.deepEqual(inEnvironment.config, typed.config)
      assert.deepEqual(inFile.config, typed.config)
      assert.deepEqual(
        [typed, inEnvironment, inFile].map(({ origins }) => origins[key]),
        [`--${name}`, settingVariable(key), file],
      )
    })

    it(`${name} says so when a value can't be`, async () => {
      const bad = kind.repeatable ? 'x'.repeat(300) : '\0'
      const forms = [
        { typed: { flags: { [key]: [bad] } }, place: `--${name} `, shown: `--${name} ${example}` },
        {
          typed: { env: { [settingVariable(key)]: bad } },
          place: settingVariable(key),
          shown: `${settingVariable(key)}=${example}`,
        },
        {
          typed: { file: await configFile({ [name]: { not: 'this' } }) },
          place: `"${name}": {"not":"this"}`,
          shown: `"${name}": `,
        },
      ]
      for (const { typed, place, shown } of forms) {
        assert.throws(
          () => resolve(typed),
          (error: unknown) => {
            assert(error instanceof ConfigError)
            assert(error.message.includes(place), error.message)
            assert(error.message.includes(`for example: ${shown}`), error.message)
            return true
          },
        )
      }
    })
  }

  it('has the default of the part that it sets', () => {
    assert.equal(SETTINGS.maxPeers.default, MAX_PEERS)
    assert.equal(SETTINGS.maxNetworks.default, MAX_NETWORKS)
    assert.equal(SETTINGS.maxConnections.default, MAX_CONNECTIONS)
    assert.equal(SETTINGS.reproveInterval.default, REPROVE_INTERVAL_MS)
  })

  it('is spelled alike everywhere', () => {
    assert.equal(settingName('reproveInterval'), 'reprove-interval')
    assert.equal(settingVariable('reproveInterval'), 'BOOTSTRAP_PEER_REPROVE_INTERVAL')
  })
})

describe('precedence', () => {
  it('is flag, variable, file, default', async () => {
    const file = await configFile({ 'max-peers': 1, 'max-networks': 1, 'max-connections': 10 })
    const env = { BOOTSTRAP_PEER_MAX_PEERS: '2', BOOTSTRAP_PEER_MAX_NETWORKS: '2' }
    const { config } = resolve({ flags: { maxPeers: ['3'] }, env, file })
    assert.deepEqual([config.maxPeers, config.maxNetworks, config.maxConnections], [3, 2, 10])
    assert.equal(config.key, SETTINGS.key.default)
  })

  it('holds for a list as a whole: the stronger replaces the weaker', async () => {
    const file = await configFile({ network: ['a', 'b'] })
    assert.deepEqual(resolve({ file }).config.network, ['a', 'b'])
    assert.deepEqual(resolve({ file, env: { BOOTSTRAP_PEER_NETWORK: 'c' } }).config.network, ['c'])
    assert.deepEqual(resolve({ file, env: { BOOTSTRAP_PEER_NETWORK: '' } }).config.network, [])
  })

  it('finds the file in BOOTSTRAP_PEER_CONFIG too, unless one is typed', async () => {
    const [one, other] = [await configFile({ 'max-peers': 1 }), await configFile({ 'max-peers': 2 })]
    assert.equal(resolve({ env: { BOOTSTRAP_PEER_CONFIG: one } }).config.maxPeers, 1)
    assert.equal(resolve({ env: { BOOTSTRAP_PEER_CONFIG: one }, file: other }).config.maxPeers, 2)
  })
})

describe('a default that another setting moves', () => {
  it('is both listen addresses by port', async () => {
    const expected = ['/ip4/0.0.0.0/tcp/5000', '/ip6/::/tcp/5000']
    const file = await configFile({ port: 5000 })
    for (const typed of [{ flags: { port: ['5000'] } }, { env: { BOOTSTRAP_PEER_PORT: '5000' } }, { file }]) {
      const { config, origins } = resolve(typed)
      assert.deepEqual(config.listen, expected)
      assert.equal(origins.listen, origins.port)
    }
    assert.deepEqual(resolve({ flags: { port: ['0'] } }).config.listen, ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'])
  })

  it('is not moved where both are given, and two different ports are an error, wherever they stand', async () => {
    const listen = '/ip4/127.0.0.1/tcp/4001'
    const agreed = resolve({ flags: { port: ['4001'], listen: [listen] } })
    assert.deepEqual(agreed.config.listen, [listen])
    assert.equal(agreed.origins.listen, '--listen')
    refuses(
      { flags: { port: ['5000'], listen: [listen] } },
      /^port 5000 \(from --port\) and listen \/ip4\/127\.0\.0\.1\/tcp\/4001 \(from --listen\) name different ports; leave/,
    )
    const file = await configFile({ listen: [listen] })
    refuses(
      { env: { BOOTSTRAP_PEER_PORT: '40' }, file },
      /^port 40 \(from BOOTSTRAP_PEER_PORT\) and listen .*\.json\) name/,
    )
  })

  it('is where key and list are, by data-dir; a path that is given wins, from wherever', async () => {
    const file = await configFile({ 'data-dir': '/srv/a' })
    const { config, origins } = resolve({ file })
    assert.deepEqual([config.key, config.file], ['/srv/a/keys/identity.key', '/srv/a/peers.json'])
    assert.deepEqual([origins.key, origins.file], [file, file])
    const mixed = resolve({ flags: { dataDir: ['b'] }, env: { BOOTSTRAP_PEER_KEY: 'k' }, file }).config
    assert.deepEqual([mixed.key, mixed.file], ['k', 'b/peers.json'])
    const here = resolve({ flags: { dataDir: ['.'] } }).config
    assert.deepEqual([here.key, here.file], [SETTINGS.key.default, SETTINGS.file.default])
  })

  it('is printed as it is in force, and read back so', async () => {
    for (const flags of [{ port: ['5000'], dataDir: ['/srv/a'] }, { listen: ['/ip4/127.0.0.1/tcp/0'] }]) {
      const { config } = resolve({ flags })
      assert.deepEqual(resolve({ file: await configFile(configJson(config)) }).config, config)
    }
  })
})

describe('values', () => {
  it('of a list are separated by commas in a variable, and repeated as flags', () => {
    const expected = ['/ip4/0.0.0.0/tcp/1', '/ip6/::1/tcp/0']
    assert.deepEqual(resolve({ flags: { listen: expected } }).config.listen, expected)
    assert.deepEqual(resolve({ env: { BOOTSTRAP_PEER_LISTEN: ` ${expected.join(' , ')},` } }).config.listen, expected)
  })

  it('name the default network as "" or as nothing between quotes', async () => {
    assert.deepEqual(resolve({ env: { BOOTSTRAP_PEER_NETWORK: '"",mainnet' } }).config.network, ['', 'mainnet'])
    assert.deepEqual(resolve({ flags: { network: ['', 'mainnet'] } }).config.network, ['', 'mainnet'])
    assert.deepEqual(resolve({ file: await configFile({ network: [''] }) }).config.network, [''])
  })

  it('of time are whole numbers with a unit', () => {
    for (const [typed, expected] of Object.entries({
      '1500ms': 1500,
      '1s': 1000,
      '15m': 900_000,
      '2h': 7_200_000,
      '7d': 604_800_000,
    })) {
      assert.equal(resolve({ flags: { reproveInterval: [typed] } }).config.reproveInterval, expected)
    }
    for (const bad of ['15', 'm', '1.5h', '-1m', '8d', '999ms', '15 m', '15M', '1e3s']) {
      refuses(
        { flags: { reproveInterval: [bad] } },
        /^--reprove-interval .* is not a duration from 1s to 7d; .* --reprove-interval 15m$/,
      )
    }
  })

  it('to listen on are literal TCP addresses', () => {
    for (const bad of [
      '4000',
      ':4000',
      '127.0.0.1:4000',
      '/ip4/1.2.3/tcp/1',
      '/ip4/1.2.3.4/tcp/65536',
      '/ip4/1.2.3.4/udp/1',
      '/ip6/fe80::1%eth0/tcp/1',
      '/ip6/1.2.3.4/tcp/1',
      '/dns4/a.org/tcp/1',
      '/ip4/1.2.3.4/tcp/1/p2p/Qm',
      '/unix/x',
      '/__proto__/1.2.3.4/tcp/1',
    ]) {
      refuses({ flags: { listen: [bad] } }, /for example: --listen \/ip4\/0\.0\.0\.0\/tcp\/4000$/)
    }
    refuses({ env: { BOOTSTRAP_PEER_LISTEN: '' } }, /has 0 values, not 1 to 16/)
  })

  it('to announce can be names, but no port 0', () => {
    const good = ['/dns4/seed.example.org/tcp/4000', '/dns/localhost/tcp/1', '/ip6/2001:db8::1/tcp/4000']
    assert.deepEqual(resolve({ flags: { announce: good } }).config.announce, good)
    for (const bad of ['/ip4/1.2.3.4/tcp/0', '/dns4/a_b..c/tcp/1', '/dns4/-a/tcp/1']) {
      refuses({ flags: { announce: [bad] } }, /^--announce /)
    }
  })

  it('are of their own type in a file', async () => {
    refuses(
      { file: await configFile({ 'max-peers': '1' }) },
      /"max-peers": "1" is not a whole number from 1 to 10000000; for example: "max-peers": 250000$/,
    )
    refuses(
      { file: await configFile({ 'allow-loose-key-mode': 'true' }) },
      /is neither true nor false; for example: "allow-loose-key-mode": true$/,
    )
    refuses({ file: await configFile({ listen: '/ip4/0.0.0.0/tcp/1' }) }, /is not an array/)
    refuses({ file: await configFile({ listen: ['/ip4/0.0.0.0/tcp/1', 7] }) }, /holds 7, which is not a string/)
    refuses({ file: await configFile({ network: ['\ud800'] }) }, /at most 255 bytes/)
  })
})

describe('what is not known is an error:', () => {
  it('a variable', () => {
    refuses(
      { env: { BOOTSTRAP_PEER_MAX_PEER: '1' } },
      /BOOTSTRAP_PEER_MAX_PEER; did you mean BOOTSTRAP_PEER_MAX_PEERS\?/,
    )
    refuses({ env: { BOOTSTRAP_PEER_SOMETHING_ELSE: '' } }, /BOOTSTRAP_PEER_SOMETHING_ELSE; the settings are in/)
  })

  it('a variable, but for what Kubernetes says of a Service that is named bootstrap-peer', () => {
    const links = {
      BOOTSTRAP_PEER_SERVICE_HOST: '10.0.0.1',
      BOOTSTRAP_PEER_SERVICE_PORT: '4000',
      BOOTSTRAP_PEER_SERVICE_PORT_P2P: '4000',
      BOOTSTRAP_PEER_PORT: 'tcp://10.0.0.1:4000',
      BOOTSTRAP_PEER_PORT_4000_TCP: 'tcp://10.0.0.1:4000',
      BOOTSTRAP_PEER_PORT_4000_TCP_ADDR: '10.0.0.1',
    }
    assert.deepEqual(resolve({ env: links }).config, resolve({}).config)
    refuses(
      { env: { BOOTSTRAP_PEER_PORT: '10.0.0.1:4000' } },
      /PORT=10.0.0.1:4000 is not a whole number from 0 to 65535/,
    )
    refuses({ env: { BOOTSTRAP_PEER_PORTS: '4000' } }, /did you mean BOOTSTRAP_PEER_PORT\?/)
  })

  it('a key in the file', async () => {
    const file = await configFile({ maxPeers: 1 })
    refuses({ file }, new RegExp(`${file}: unknown key "maxPeers"; did you mean "max-peers"\\?`))
    refuses({ file: await configFile('{"__proto__": 1}') }, /unknown key "__proto__"/)
  })

  it('a file that is not there, or is not JSON, or is no object', async () => {
    refuses({ file: join(folder, 'nothing') }, /can't read the config file .*nothing \(ENOENT\)/)
    refuses({ file: folder }, /EISDIR/)
    refuses({ file: await configFile('{"listen": [') }, /is not JSON/)
    refuses({ file: await configFile([]) }, /holds no JSON object/)
    refuses({ file: await configFile('null') }, /holds no JSON object/)
    refuses({ file: await configFile(' '.repeat(2 ** 20 + 1)) }, /too long for a config file/)
  })
})

it('what is in force is a config file that puts the same in force', async () => {
  const flags = {
    network: ['', 'a,b'],
    reproveInterval: ['90s'],
    allowLooseKeyMode: ['true'],
    announce: ['/dns4/a.org/tcp/1'],
  }
  const { config } = resolve({ flags })
  const again = resolve({ file: await configFile(configJson(config)) })
  assert.deepEqual(again.config, config)
})
