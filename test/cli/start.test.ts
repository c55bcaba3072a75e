import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { encodeIdentity } from '../../src/identity/key-formats.ts'
import { BIN, runCli, startCli } from '../support/cli-process.ts'
import { DATA, frame, rawPeer, SYN } from '../support/raw-peer.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

const ANY_PORT = ['--listen', '/ip4/127.0.0.1/tcp/0']

/** A module as Node takes it with `--import`. */
const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`

/** What the promise of a stop is. */
const STOP_MS = 5000

describe('start', { concurrency: 2 }, () => {
  it('says when it is ready, who it is and where, and stops on SIGTERM', async (t) => {
    const cwd = await temporaryFolder(t)
    const node = startCli(t, ['start', ...ANY_PORT], { cwd })
    const ready = await node.line('ready')
    assert.equal(ready.pid, node.pid)
    const { peerId, multiaddrs } = ready as unknown as { peerId: string; multiaddrs: string[] }
    assert.match(peerId, /^12D3KooW/)
    assert.equal(multiaddrs.length, 1)
    assert.match(multiaddrs[0]!, new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/[1-9]\\d*/p2p/${peerId}$`))

    const before = performance.now()
    node.kill('SIGTERM')
    const { code, stderr } = await node.ended
    assert.equal(code, 0)
    assert(performance.now() - before < STOP_MS)
    assert.equal(stderr, '')
    assert.deepEqual(
      node.lines.slice(-2).map(({ msg }) => msg),
      ['stopping', 'stopped'],
    )
    assert.equal((await stat(join(cwd, 'keys/identity.key'))).mode & 0o777, 0o600)
    assert((await readdir(cwd)).includes('peers.json'))
  })

  it('stops on SIGINT too, and is the default command', async (t) => {
    const node = startCli(t, ANY_PORT, { cwd: await temporaryFolder(t) })
    await node.line('ready')
    node.kill('SIGINT')
    assert.equal((await node.ended).code, 0)
  })

  // Killed by a signal it would be before the second line: Node ends a process at once that does not handle one.
  for (const [signal, said] of [
    ['SIGHUP', 'goes on\n'],
    ['SIGTERM', ''],
    ['SIGINT', ''],
  ] as const) {
    it(`handles ${signal} from before its modules are loaded`, async (t) => {
      const source = `
        process.kill(process.pid, '${signal}')
        await new Promise((resolve) => setTimeout(resolve, '${signal}' === 'SIGHUP' ? 0 : 10_000))
        console.log('goes on')`
      const preload = `
        import { registerHooks } from 'node:module'
        const source = ${JSON.stringify(source)}
        registerHooks({
          load: (url, context, next) =>
            url.endsWith('/bin/run.js') ? { format: 'module', source, shortCircuit: true } : next(url, context),
        })`
      const nodeArguments = ['--import', moduleOf(preload)]
      const ended = await runCli(['start'], { cwd: await temporaryFolder(t), nodeArguments })
      assert.deepEqual(ended, { code: 0, stdout: said, stderr: '' })
    })
  }

  it('reads the list once it is ready when SIGHUP comes before, and stops after its start when SIGTERM does', async (t) => {
    const cwd = await temporaryFolder(t)
    const sending = (signal: NodeJS.Signals) => {
      const preload = `
        let listeners = 0
        process.on('newListener', (name) => {
          if (name === '${signal}' && ++listeners === 2) {
            setImmediate(() => process.kill(process.pid, '${signal}'))
          }
        })`
      return startCli(t, ['start', ...ANY_PORT], { cwd, nodeArguments: ['--import', moduleOf(preload)] })
    }
    const node = sending('SIGHUP')
    await node.line('ready')
    await node.line('there is no peers.json: it is written anew')
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)

    const stopped = sending('SIGTERM')
    const { code, stderr } = await stopped.ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.deepEqual(
      stopped.lines.map(({ msg }) => msg),
      ['stopping', 'stopped'],
    )
  })

  it('has the same PeerId each time, and tells once that it made it', async (t) => {
    const cwd = await temporaryFolder(t)
    const peerIds: unknown[] = []
    for (const made of [true, false]) {
      const node = startCli(t, ANY_PORT, { cwd })
      peerIds.push((await node.line('ready')).peerId)
      assert.equal(
        node.lines.some(({ msg }) => msg?.startsWith('created a new identity')),
        made,
      )
      node.kill('SIGTERM')
      await node.ended
    }
    assert.equal(peerIds[0], peerIds[1])
  })

  it('keeps everything it says in JSON, with the summary as often as asked', async (t) => {
    const node = startCli(t, [...ANY_PORT, '--summary-interval', '100ms', '--log-level', 'trace'], {
      cwd: await temporaryFolder(t),
    })
    const summary = await node.line('summary')
    const { known, registrations, connections, registered, answered, refused, errors, store } = summary
    assert.deepEqual(
      { known, registrations, connections, registered, answered, refused, errors, store },
      {
        known: 0,
        registrations: 0,
        connections: 0,
        registered: 0,
        answered: 0,
        refused: 0,
        errors: 0,
        store: 'ok',
      },
    )
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    assert(node.lines.some((line) => line.component === 'libp2p'))
  })

  it('sums up who was refused a connection and hung up on, by reason, since the line before', async (t) => {
    const args = [...ANY_PORT, '--summary-interval', '100ms', '--deny', '127.66.0.0/16']
    const node = startCli(t, args, { cwd: await temporaryFolder(t) })
    const { multiaddrs } = (await node.line('ready')) as unknown as { multiaddrs: string[] }
    await assert.rejects(rawPeer(multiaddrs[0]!, { from: '127.66.1.1' }))
    const peer = await rawPeer(multiaddrs[0]!)
    peer.send(frame(DATA, SYN, 1, 0, 0xff_ff_ff_ff))
    await peer.gone
    const before = node.lines.length
    const summaries = () => node.lines.filter(({ msg }) => msg === 'summary')
    const hasQuiet = () => node.lines.slice(before).filter(({ msg }) => msg === 'summary').length > 1
    await until(hasQuiet, 'a line begins and ends after the last of it')
    const seen = (name: string) => summaries().map((line) => line[name])
    // One line has it and no other: each counts from the one before.
    assert.deepEqual(
      seen('refusedConnections').filter((each) => Object.keys(each as object).length > 0),
      [{ denied: 1 }],
    )
    assert.deepEqual(
      seen('hungUp').filter((each) => Object.keys(each as object).length > 0),
      [{ invalid_frame: 1 }],
    )
  })

  it('says that it is ready at every log level but silent', async (t) => {
    const node = startCli(t, [...ANY_PORT, '--log-level', 'error'], { cwd: await temporaryFolder(t) })
    await node.line('ready')
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    assert.deepEqual(
      node.lines.map(({ msg }) => msg),
      ['ready'],
    )
  })

  it('takes in a hand-edited list on SIGHUP, and goes on', async (t) => {
    const cwd = await temporaryFolder(t)
    const node = startCli(t, [...ANY_PORT, '--summary-interval', '100ms'], { cwd })
    await node.line('ready')
    await writeFile(join(cwd, 'peers.json'), '[{"address":"203.0.113.7:4001"}]')
    node.kill('SIGHUP')
    await node.line('merged the edited list')
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    assert.match(await readFile(join(cwd, 'peers.json'), 'utf8'), /203\.0\.113\.7/)
  })

  it('can be stopped while it starts', async (t) => {
    const node = startCli(t, ANY_PORT, { cwd: await temporaryFolder(t) })
    await node.line('created a new identity, because there was none. Keep a backup of it')
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
  })

  it('leaves with exit code 1 on an exception nobody expected, and says so', async (t) => {
    for (const trouble of ['throw new Error(`boom\\n`)', 'Promise.reject(new Error(`boom\\n`))']) {
      const nodeArguments = ['--import', `data:text/javascript,process.on('SIGUSR2', () => { ${trouble} })`]
      const node = startCli(t, ANY_PORT, { cwd: await temporaryFolder(t), nodeArguments })
      await node.line('ready')
      node.kill('SIGUSR2')
      const { code, stderr } = await node.ended
      assert.equal(code, 1)
      assert.equal(stderr, '')
      const last = node.lines.at(-1)!
      assert.equal(last.level, 60)
      assert.equal((last.err as { message: string }).message, 'boom\\u{a}')
    }
  })

  it('shows a person what to hand to others', { skip: process.platform !== 'linux' }, async (t) => {
    const cwd = await temporaryFolder(t)
    const command = [process.execPath, BIN, ...ANY_PORT].join(' ')
    // script runs it on a terminal of its own.
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd, env: { ...process.env, NO_COLOR: '1' } })
    t.after(() => terminal.kill('SIGKILL'))
    const lines: string[] = []
    for await (const line of createInterface({ input: terminal.stdout })) {
      lines.push(line.replace(/^\[[\d:]+\] /, ''))
      if (lines.at(-1) === 'INFO: ready') {
        terminal.stdin.write('\x03')
      }
    }
    const peerId = lines.find((line) => line.startsWith('PeerId '))?.slice('PeerId '.length)
    assert.match(lines.join('\n'), new RegExp(`\n  /ip4/127\\.0\\.0\\.1/tcp/\\d+/p2p/${peerId}\n`))
    assert.equal(lines.at(-1), 'INFO: stopped')
  })

  it('leaves at once on a second signal', async (t) => {
    const node = startCli(t, ANY_PORT, { cwd: await temporaryFolder(t) })
    await node.line('ready')
    // Both are waiting when it wakes up, so the second comes before the stop is done.
    node.kill('SIGSTOP')
    node.kill('SIGTERM')
    node.kill('SIGINT')
    node.kill('SIGCONT')
    const { code } = await node.ended
    assert([130, 143].includes(code!), String(code))
  })

  it('does not say what is experimental in Node; other warnings stand', async (t) => {
    const warn = `process.on('SIGUSR2', () => {
      process.emitWarning('a feature', 'ExperimentalWarning')
      process.emitWarning('a feature', { type: 'ExperimentalWarning', code: 'X' })
      process.emitWarning(Object.assign(new Error('a feature'), { name: 'ExperimentalWarning' }))
      process.emitWarning('no feature')
    })`
    const nodeArguments = ['--import', `data:text/javascript,${encodeURIComponent(warn)}`]
    const node = startCli(t, ANY_PORT, { cwd: await temporaryFolder(t), nodeArguments })
    await node.line('ready')
    node.kill('SIGUSR2')
    node.kill('SIGTERM')
    assert.match((await node.ended).stderr, /^\(node:\d+\) Warning: no feature\n\(Use [^\n]*\)\n$/)
  })

  it('goes on when nobody can take its log', async (t) => {
    const node = startCli(t, [...ANY_PORT, '--summary-interval', '100ms'], { cwd: await temporaryFolder(t) })
    await node.line('ready')
    await node.line('summary')
    node.closeStdout()
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
  })
})

describe('start refuses with one line', { concurrency: 2 }, () => {
  it('a port that is taken: exit code 4', async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const address = server.address()
    assert(address !== null && typeof address === 'object')
    const cwd = await temporaryFolder(t)
    const result = await runCli(['start', '--listen', `/ip4/127.0.0.1/tcp/${address.port}`], { cwd })
    assert.equal(result.code, 4)
    assert.match(
      result.stderr,
      new RegExp(`^bootstrap-peer: can't listen on 127.0.0.1:${address.port}: .*EADDRINUSE.*\\n$`),
    )
  })

  it('an address that is not of this machine: exit code 4', async (t) => {
    const result = await runCli(['start', '--listen', '/ip4/192.0.2.1/tcp/0'], { cwd: await temporaryFolder(t) })
    assert.equal(result.code, 4)
    assert.match(result.stderr, /^bootstrap-peer: can't listen.*EADDRNOTAVAIL.*\n$/)
  })

  it('files that another node has: exit code 5', async (t) => {
    const cwd = await temporaryFolder(t)
    const node = startCli(t, ANY_PORT, { cwd })
    await node.line('ready')
    const result = await runCli(['start', ...ANY_PORT], { cwd })
    assert.equal(result.code, 5)
    assert.match(result.stderr, /^bootstrap-peer: another process has .*\n$/)
  })

  it('a list in a folder that is not there: exit code 5', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'file'), '')
    const result = await runCli(['start', ...ANY_PORT, '--file', 'file/peers.json'], { cwd })
    assert.equal(result.code, 5)
    assert.match(result.stderr, /^bootstrap-peer: .*file\/peers\.json.*\n$/)
  })

  it('a key that others can read: exit code 3, unless that is allowed', async (t) => {
    const cwd = await temporaryFolder(t)
    const key = await generateKeyPair('Ed25519')
    await writeFile(join(cwd, 'loose.key'), encodeIdentity(key, 'protobuf'))
    await chmod(join(cwd, 'loose.key'), 0o644)
    const refused = await runCli(['start', ...ANY_PORT, '--key', 'loose.key'], { cwd })
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /^bootstrap-peer: .*mode 0644.*chmod 600 loose\.key.*\n$/)
    assert.deepEqual(await readdir(cwd), ['loose.key'])

    const node = startCli(t, [...ANY_PORT, '--key', 'loose.key', '--allow-loose-key-mode'], { cwd })
    assert.equal((await node.line('ready')).peerId, peerIdFromPrivateKey(key).toString())
  })

  it('a key that is corrupt: exit code 3, and it is left as it is', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'bad.key'), 'half a k', { mode: 0o600 })
    const result = await runCli(['start', ...ANY_PORT, '--key', 'bad.key'], { cwd })
    assert.equal(result.code, 3)
    assert.match(result.stderr, /^bootstrap-peer: the key bad\.key is not usable.*\n$/)
    assert.equal(await readFile(join(cwd, 'bad.key'), 'utf8'), 'half a k')
    assert.deepEqual(await readdir(cwd), ['bad.key'])
  })
})
