import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { it } from 'node:test'
import { promisify } from 'node:util'

/** The log goes to stdout, so it is another process's stdout that is looked at. */
function program(level: string, body: string): string[] {
  const source = `
    import { componentLoggers, createLogger } from ${JSON.stringify(import.meta.resolve('../../src/cli/logger.ts'))}
    const log = createLogger(${JSON.stringify(level)})
    const { forComponent } = componentLoggers(log)
    ${body}`
  return ['--input-type=module', '--eval', source]
}

async function logged(level: string, body: string): Promise<Record<string, unknown>[]> {
  const args = program(level, `${body}\nprocess.kill(process.pid, 'SIGKILL')`)
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((killed: { stdout: string }) => killed)
  const lines = stdout.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

it('a line is written before the call returns, so a killed process has said all', async () => {
  const lines = await logged('info', `for (let i = 0; i < 1000; i++) log.info({ i }, 'x'.repeat(100))`)
  assert.equal(lines.length, 1000)
  assert.equal(lines.at(-1)?.i, 999)
})

it('what libp2p calls an error is for debugging, what goes wrong with us is an error', async () => {
  const body = `
    for (const name of ['libp2p:tcp', 'bootstrap-peer']) {
      const part = forComponent(name)
      part('a %s', 'b'); part.error('c %e', new Error('d')); part.trace('e'); part.newScope('f')('g')
    }`
  const shape = (lines: Record<string, unknown>[]) =>
    lines.map(({ level, component, msg }) => `${level} ${component} ${msg}`)
  assert.deepEqual(shape(await logged('info', body)), ['50 bootstrap-peer c d'])
  assert.deepEqual(shape(await logged('trace', body)), [
    '20 libp2p:tcp a b',
    '20 libp2p:tcp c d',
    '10 libp2p:tcp e',
    '20 libp2p:tcp:f g',
    '20 bootstrap-peer a b',
    '50 bootstrap-peer c d',
    '10 bootstrap-peer e',
    '20 bootstrap-peer:f g',
  ])
})

it('the part that speaks is one of a few, whatever the number of its connection and of its stream', async () => {
  const body = `
    for (const [connection, stream] of [['7g6dop1795384080492', 1], ['142bur1795384084133', 4294967295]]) {
      forComponent('libp2p:tcp').newScope(connection).newScope('yamux').newScope('inbound').newScope(String(stream))('x')
    }`
  assert.deepEqual(
    (await logged('debug', body)).map(({ component, instance }) => `${component} ${instance}`),
    ['libp2p:tcp:yamux:inbound 7g6dop1795384080492:1', 'libp2p:tcp:yamux:inbound 142bur1795384084133:4294967295'],
  )
})

it('text from elsewhere can neither begin a line nor steer a terminal', async () => {
  const [message, error] = await logged(
    'debug',
    `forComponent('x')('%s of %p, 100%%', '\\n{"msg":"ready"}', { toString: () => '\\x1b[2J\\u202e' }, { more: 1 }, 1n)
     log.error({ err: new Error('\\x9b2J\\u2028\\n{}') }, 'failed')`,
  )
  assert(message !== undefined && error !== undefined)
  assert.equal(message.msg, '\\u{a}{"msg":"ready"} of \\u{1b}[2J\\u{202e}, 100% {"more":1} 1')
  const { message: text, stack } = error.err as { message: string; stack: string }
  assert.equal(text, '\\u{9b}2J\\u{2028}\\u{a}{}')
  assert.match(stack, /^( {4}at .*\n?)+$/)
})

it('what a field quotes can not steer a terminal either', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    program('info', `log.info({ told: '\\x9b2J\\u202e' }, 'x')`),
  )
  assert(stdout.includes('"told":"\\u009b2J\\u202e"'), stdout)
  assert.equal(JSON.parse(stdout).told, '\x9b2J\u202e')
})

it('goes on when the disk of the log is full', { skip: process.platform !== 'linux' }, async (t) => {
  const full = await open('/dev/full', 'w')
  t.after(() => full.close())
  const args = program(
    'info',
    `for (let i = 0; i < 100; i++) log.info({ i }, 'lost'); setImmediate(() => process.exit(42))`,
  )
  const child = spawn(process.execPath, args, { stdio: ['ignore', full.fd, 'inherit'] })
  assert.deepEqual(await once(child, 'exit'), [42, null])
})
