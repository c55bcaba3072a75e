import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileStore } from '../../src/store/file/file-store.ts'
import { type CliProcess, type LogLine, startCli } from '../support/cli-process.ts'
import { knownPeers } from '../support/known-peers.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

const ARGUMENTS = ['start', '--listen', '/ip4/127.0.0.1/tcp/0', '--summary-interval', '100ms']
const TAKEN = 'merged the edited list'
const REGISTERED = 25

/** SIGUSR2 moves the clock of the process on, which then says so among the lines of the log. */
const SKIP_MS = 5000
const SKIPPING = `
  const now = performance.now.bind(performance)
  let skipped = 0
  performance.now = () => now() + skipped
  process.on('SIGUSR2', () => {
    skipped += ${SKIP_MS}
    console.log('{"msg":"skipped"}')
  })`

describe('a list that is edited by hand', { concurrency: 2 }, () => {
  it('is taken in on SIGHUP, and the log counts what came, what went, and what is of no use', async (t) => {
    const { node, list } = await start(t, await seededFolder(t))
    const [bracket, first, ...others] = (await readFile(list, 'utf8')).split('\n')
    assert.match(first!, /p2p/)
    await save(list, [bracket, '{"address":"203.0.113.7:4001"},', '{"address":"203.0.113.7"},', ...others].join('\n'))
    node.kill('SIGHUP')
    const { added, removed, useless, level } = await node.line(TAKEN)
    assert.deepEqual(
      { added, removed, useless, level },
      {
        added: 2,
        removed: 1,
        useless: ['line 3: its address is not /ip4/<IP>/tcp/<port>, /ip6/<IP>/tcp/<port> or <IP>:<port>'],
        level: 40,
      },
    )
    node.kill('SIGHUP')
    await node.line(`${list} was not edited since it was last read or written`)
  })

  it('keeps what was registered while the editor was open, and deletes what the operator deleted', async (t) => {
    const cwd = await seededFolder(t)
    const { node, list, address } = await start(t, cwd)
    const [bracket, deleted, ...others] = (await readFile(list, 'utf8')).split('\n')
    const peer = await startPeer()
    t.after(() => peer.stop())
    const networks = Array.from({ length: 20 }, (_, n) => `chain-${n}`)
    for (const network of networks) {
      const answer = await ask(peer, address, { address: addressOf(peer), network, explain: true })
      assert.equal(answer.registrations[0].status, 'listed')
    }
    await until(async () => (await readFile(list, 'utf8')).split('chain-').length === 21, 'a snapshot has them all')

    await save(list, [bracket, ...others].join('\n'))
    node.kill('SIGHUP')
    const { added, removed, kept } = await node.line(TAKEN)
    assert.deepEqual({ added, removed, kept }, { added: 0, removed: 1, kept: 20 })
    await until(async () => (await readFile(list, 'utf8')).split('chain-').length === 21, 'they are written again')
    // The editor is still open, and the node does not live to read what is saved next.
    await save(list, [bracket, ...others].join('\n'))
    node.kill('SIGKILL')
    await node.ended

    const next = await start(t, cwd)
    assert.equal(await registrations(next.node), REGISTERED - 1 + networks.length)
    assert(!(await readFile(list, 'utf8')).includes(JSON.parse(deleted!.slice(0, -1)).address))
    for (const network of networks) {
      const isListed = async () => JSON.stringify(await ask(peer, next.address, { network })).includes(addressOf(peer))
      await until(isListed, `it is listed in ${network}`)
    }
  })

  it('is taken in at the next snapshot without a signal, and told', async (t) => {
    const { node, list } = await start(t, await seededFolder(t))
    await save(list, (await readFile(list, 'utf8')).replace('[\n', '[\n{"address":"203.0.113.7:4001"},\n'))
    node.kill('SIGTERM')
    const { added, removed } = await node.line(TAKEN)
    assert.deepEqual({ added, removed }, { added: 1, removed: 0 })
    assert.equal((await node.ended).code, 0)
    assert.match(await readFile(list, 'utf8'), /203\.0\.113\.7/)
  })

  it('and leaves out most is refused, until the same is signalled again 5 s later', async (t) => {
    const { node, list } = await start(t, await seededFolder(t))
    await save(list, '[]\n')
    node.kill('SIGHUP')
    await warned(node, 1, /leaves out 25 of 25 registrations\. They stay, .* send SIGHUP again in 5 s or later/)
    node.kill('SIGHUP')
    await warned(node, 2, /send SIGHUP again in 5 s or later/)
    assert.equal(await registrations(node), REGISTERED)
    assert.equal(await readFile(list, 'utf8'), '[]\n')

    node.kill('SIGUSR2')
    await node.line('skipped')
    node.kill('SIGHUP')
    assert.equal((await node.line(TAKEN)).removed, REGISTERED)
    assert.equal(await registrations(node), 0)
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
  })

  it('while no node ran, and leaves out most, is refused at start, and taken with --accept-list', async (t) => {
    const cwd = await seededFolder(t)
    const list = join(cwd, 'peers.json')
    const edited = '[{"address":"203.0.113.7:4001"}]'
    await save(list, edited)
    const { node } = await start(t, cwd)
    const [{ dropped, of }] = await warned(
      node,
      1,
      /leaves out 25 of 25 .* send SIGHUP, and again 5 to 60 s later, or start/,
    )
    assert.deepEqual({ dropped, of }, { dropped: 25, of: 25 })
    assert.equal(await registrations(node), REGISTERED)
    node.kill('SIGTERM')
    const { code, stdout } = await node.ended
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /"level":50/, 'that no snapshot is written was told')
    assert.equal(await readFile(list, 'utf8'), edited)

    const accepting = await start(t, cwd, ['--accept-list'])
    assert(accepting.node.lines.some(({ msg }) => /0 registrations came in, 25 went/.test(msg ?? '')))
    assert.equal(await registrations(accepting.node), 0)
    accepting.node.kill('SIGTERM')
    assert.equal((await accepting.node.ended).code, 0)
    assert.deepEqual(JSON.parse(await readFile(list, 'utf8')), [{ address: '203.0.113.7:4001' }])
  })

  it('and does not parse is told in one line without a stack, and deleting it has it written anew', async (t) => {
    const { node, list } = await start(t, await seededFolder(t))
    await save(list, '[\n{"address":"203.0.113.7:4001"},\n]\n')
    node.kill('SIGHUP')
    const [{ level, err }] = await warned(
      node,
      1,
      /did not merge .*peers\.json: Unexpected token '\]' in line 3\. What .* correct the file, or delete it/,
    )
    assert.deepEqual({ level, err }, { level: 50, err: undefined })
    await save(list, '[]')
    await rename(list, `${list}.mine`)
    node.kill('SIGHUP')
    await node.line(`there is no ${list}: it is written anew`)
    await until(() => existsSync(list), 'it is there again')
    assert.equal(JSON.parse(await readFile(list, 'utf8')).length, REGISTERED)
  })
})

async function start(t: Parameters<typeof startCli>[0], cwd: string, more: readonly string[] = []) {
  const list = join(cwd, 'peers.json')
  const nodeArguments = ['--import', `data:text/javascript,${encodeURIComponent(SKIPPING)}`]
  const node = startCli(t, [...ARGUMENTS, '--file', list, ...more], { cwd, nodeArguments })
  const { multiaddrs } = await node.line('ready')
  return { node, list, address: (multiaddrs as readonly string[])[0]! }
}

/** With a list, and its backup, of peers that registered an hour ago and are in no journal any more. */
async function seededFolder(t: Parameters<typeof startCli>[0]): Promise<string> {
  const cwd = await temporaryFolder(t)
  const now = Date.now()
  const records = knownPeers(REGISTERED, { now }).map((each) => ({ ...each, registeredAt: now - 3_600_000 }))
  const store = fileStore({ path: join(cwd, 'peers.json'), clock: Date.now })
  await store.open()
  for (let n = 0; n < 2; n++) {
    await store.compact({ records: () => records, statics: () => [], merge: () => ({ added: 0, removed: 0 }) })
  }
  await store.close()
  return cwd
}

/** As an editor does. */
async function save(list: string, text: string): Promise<void> {
  await writeFile(`${list}.new`, text)
  await rename(`${list}.new`, list)
}

/** The lines, so many of them, that say that the list was not taken in. */
async function warned(node: CliProcess, count: number, message: RegExp): Promise<[LogLine, ...LogLine[]]> {
  const found = () => node.lines.filter(({ msg }) => msg?.startsWith('did not merge '))
  await until(() => found().length >= count, 'it says that it did not merge the list')
  assert.equal(found().length, count)
  assert.match(found().at(-1)!.msg!, message)
  return found() as [LogLine, ...LogLine[]]
}

/** As the next summary has it. */
async function registrations(node: CliProcess): Promise<unknown> {
  const before = node.lines.length
  const next = () => node.lines.slice(before).find(({ msg }) => msg === 'summary')
  await until(() => next() !== undefined, 'there is another summary')
  return next()!.registrations
}
