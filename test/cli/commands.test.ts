import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { COMMANDS, settingsOf } from '../../src/cli/commands.ts'
import { configJson, SETTING_KEYS, settingName } from '../../src/cli/config/settings.ts'
import { resolveConfig } from '../../src/cli/config/sources.ts'
import { IDENTITY_FORMATS } from '../../src/identity/key-formats.ts'
import { type CliOptions, runCli } from '../support/cli-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** It worked, and said so on stdout only. */
async function succeeds(args: readonly string[], options: CliOptions): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, options)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return stdout
}

/** It failed with one line on stderr, and left nothing behind. */
async function fails(args: readonly string[], options: CliOptions, exitCode: number, message: RegExp): Promise<void> {
  const before = await readdir(options.cwd)
  const { code, stdout, stderr } = await runCli(args, options)
  assert.equal(code, exitCode, stderr)
  assert.match(stderr, /^bootstrap-peer: .*\n$/)
  assert.match(stderr, message)
  assert.equal(stdout, '')
  assert.deepEqual(await readdir(options.cwd), before)
}

describe('keygen and id', { concurrency: 2 }, () => {
  it('make a key once, and tell whose it is', async (t) => {
    const cwd = await temporaryFolder(t)
    const [peerId, where] = (await succeeds(['keygen'], { cwd })).split('\n')
    assert.match(peerId!, /^12D3KooW/)
    assert.equal(where, 'written to keys/identity.key')
    assert.equal((await stat(join(cwd, 'keys/identity.key'))).mode & 0o777, 0o600)
    assert.equal(await succeeds(['id'], { cwd }), `${peerId}\n`)
    assert.deepEqual(JSON.parse(await succeeds(['id', '--json'], { cwd })), {
      peerId,
      type: 'Ed25519',
      publicKey: JSON.parse(await succeeds(['id', '--export', 'lodestar'], { cwd })).pubKey,
      key: 'keys/identity.key',
    })

    const bytes = await readFile(join(cwd, 'keys/identity.key'))
    await fails(['keygen'], { cwd }, 3, /keys\/identity\.key exists already/)
    assert.deepEqual(await readFile(join(cwd, 'keys/identity.key')), bytes)
  })

  // From each to the next one, so that each is made, read and exported; test/identity has every pair.
  for (const [n, format] of IDENTITY_FORMATS.entries()) {
    const next = IDENTITY_FORMATS[(n + 1) % IDENTITY_FORMATS.length]!
    it(`carry an identity from ${format} to ${next}`, async (t) => {
      const cwd = await temporaryFolder(t)
      const made = JSON.parse(await succeeds(['keygen', '--key', 'made', '--format', format, '--json'], { cwd }))
      assert.deepEqual({ ...made, peerId: '' }, { peerId: '', type: 'Ed25519', key: 'made', format })
      const { stdout } = await runCli(['id', '--key', 'made', '--export', next], { cwd, encoding: 'latin1' })
      await writeFile(join(cwd, next), stdout, { mode: 0o600, encoding: 'latin1' })
      assert.equal(await succeeds(['id', '--key', next], { cwd }), `${made.peerId}\n`)
    })
  }

  it('refuse what makes no sense', async (t) => {
    const cwd = await temporaryFolder(t)
    await fails(['id'], { cwd }, 3, /no key keys\/identity\.key; create it: bootstrap-peer keygen/)
    await fails(['id', '--export', 'der'], { cwd }, 2, /--export der is not one of protobuf, base64, lodestar, pem/)
    await fails(['id', '--export', 'pem', '--json'], { cwd }, 2, /leave --json out/)
    await fails(['keygen', '--format', 'x'], { cwd }, 2, /--format x is not one of/)
    await fails(['keygen', '--listen', 'x'], { cwd }, 2, /unknown option --listen/)
  })

  it('find the key where the settings say', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'config.json'), '{"key": "a/key", "max-peers": 5}')
    await mkdir(join(cwd, 'b'))
    await succeeds(['keygen', '--config', 'config.json'], { cwd })
    await succeeds(['keygen'], { cwd, env: { BOOTSTRAP_PEER_CONFIG: 'config.json', BOOTSTRAP_PEER_KEY: 'b/key' } })
    assert.deepEqual([await readdir(join(cwd, 'a')), await readdir(join(cwd, 'b'))], [['key'], ['key']])
  })
})

describe('a mistake on the command line', { concurrency: 2 }, () => {
  const cases: [string[], RegExp][] = [
    [['strat'], /unknown command "strat"; did you mean start\?/],
    [['frobnicate'], /unknown command "frobnicate"; the commands are start, id, keygen/],
    [['help', 'strat'], /did you mean start\?/],
    [['--lisen', 'x'], /unknown option --lisen; did you mean --listen\? \(bootstrap-peer start --help/],
    [['--listen'], /--listen needs a value; for example: --listen \/ip4/],
    [['start', '--listen', '--key', 'x'], /--listen needs a value/],
    [['start', 'now'], /start takes no argument "now"/],
    [['start', '--', 'now'], /start takes no argument "--"/],
    [['start', '-l', 'x'], /unknown option -l/],
    [['start', '--no-config'], /unknown option --no-config/],
    [['start', '--key', 'a', '--key', 'b'], /--key is given twice/],
    [['start', '--print-config=yes'], /--print-config takes no value/],
    [['start', '--allow-loose-key-mode=maybe'], /--allow-loose-key-mode maybe is neither true nor false/],
    [['start', '--max-peers', 'lots'], /--max-peers lots is not a whole number .*; for example: --max-peers 250000/],
    [['start', '--config', 'nothing.json'], /can't read the config file nothing\.json \(ENOENT\)/],
  ]
  for (const [args, message] of cases) {
    it(args.join(' '), async (t) => {
      await fails(args, { cwd: await temporaryFolder(t) }, 2, message)
    })
  }

  it('or in the environment', async (t) => {
    const cwd = await temporaryFolder(t)
    await fails(
      ['start'],
      { cwd, env: { BOOTSTRAP_PEER_LISTN: 'x' } },
      2,
      /BOOTSTRAP_PEER_LISTN; did you mean BOOTSTRAP_PEER_LISTEN\?/,
    )
    await fails(
      ['id'],
      { cwd, env: { BOOTSTRAP_PEER_MAX_PEERS: '-1' } },
      2,
      /BOOTSTRAP_PEER_MAX_PEERS=-1 is not a whole number/,
    )
  })
})

describe('start --print-config', () => {
  it('prints what is in force and where it comes from, and starts nothing', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'config.json'), '{"max-peers": 5, "max-networks": 6, "network": ["", "a,b"]}')
    const options = { cwd, env: { BOOTSTRAP_PEER_MAX_NETWORKS: '7', BOOTSTRAP_PEER_CONFIG: 'config.json' } }
    const { code, stdout, stderr } = await runCli(['start', '--print-config', '--reprove-interval', '90s'], options)
    assert.equal(code, 0)
    const printed = JSON.parse(stdout)
    assert.deepEqual(
      Object.keys(printed),
      SETTING_KEYS.map(settingName).filter((name) => name !== 'port'),
      'all, but for what is not set',
    )
    assert.deepEqual(
      { ...printed, listen: [] },
      {
        ...configJson(resolveConfig({ flags: new Map(), env: {} }).config),
        listen: [],
        network: ['', 'a,b'],
        'max-peers': 5,
        'max-networks': 7,
        'reprove-interval': '90s',
      },
    )
    const origins = Object.fromEntries(
      stderr
        .trim()
        .split('\n')
        .map((line) => line.split(/ +from /)),
    )
    assert.equal(origins['max-peers'], 'config.json')
    assert.equal(origins['max-networks'], 'BOOTSTRAP_PEER_MAX_NETWORKS')
    assert.equal(origins['reprove-interval'], '--reprove-interval')
    assert.equal(origins.key, 'default')
    assert.deepEqual(await readdir(cwd), ['config.json'])

    await writeFile(join(cwd, 'printed.json'), stdout)
    const again = await runCli(['start', '--print-config', '--config', 'printed.json'], { cwd })
    assert.equal(again.stdout, stdout)
  })
})

describe('help', { concurrency: 2 }, () => {
  it('names every command, and the version is that of the package', async (t) => {
    const cwd = await temporaryFolder(t)
    const overview = await succeeds(['--help'], { cwd })
    assert.equal(await succeeds(['help'], { cwd }), overview)
    assert.equal(await succeeds(['-h'], { cwd }), overview)
    assert.equal(await succeeds(['help', 'id'], { cwd }), await succeeds(['id', '--help'], { cwd }))
    for (const { name } of COMMANDS) {
      assert(overview.includes(`bootstrap-peer ${name}`))
    }
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    assert.equal(await succeeds(['--version'], { cwd }), `${version}\n`)
  })

  for (const command of COMMANDS) {
    it(`of ${command.name} names every setting and option of it, and no other`, async (t) => {
      const cwd = await temporaryFolder(t)
      const help = await succeeds([command.name, '--help'], { cwd })
      for (const key of SETTING_KEYS) {
        const name = settingName(key)
        const has = settingsOf(command).includes(key) || command.options.some((option) => option.name === name)
        assert.equal(new RegExp(`  --${name}(?![-\\w])`).test(help), has, key)
      }
      for (const { name, placeholder } of command.options) {
        assert(help.includes(`  --${name} ${placeholder}`.trimEnd()))
        assert(placeholder !== '<format>' || help.includes(IDENTITY_FORMATS.join(', ')))
      }
    })
  }
})

describe('a Node that is too old', { concurrency: 2 }, () => {
  for (const [version, taken] of Object.entries({
    '18.0.0': false,
    '22.17.9': false,
    '22.18.0': true,
    '30.0.0': true,
  })) {
    it(`${version} is ${taken ? 'taken' : 'told so in one line'}`, async (t) => {
      const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
      const options = { cwd: await temporaryFolder(t), nodeArguments: ['--import', `data:text/javascript,${pretend}`] }
      if (taken) {
        await succeeds(['--version'], options)
        return
      }
      const line = new RegExp(
        `this is Node\\.js ${version.replaceAll('.', '\\.')}, but 22\\.18 or newer is needed: install`,
      )
      await fails(['start'], options, 1, line)
    })
  }
})
