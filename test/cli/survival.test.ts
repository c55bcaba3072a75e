import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p } from 'libp2p'
import { type CliProcess, startCli } from '../support/cli-process.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { newFolder, temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

/** How often a damaged list is started with. */
const ROUNDS = 8

const ARGUMENTS = ['start', '--listen', '/ip4/127.0.0.1/tcp/0', '--summary-interval', '200ms']

describe('a node that goes down', () => {
  let peers: Libp2p[]

  before(async () => {
    peers = await Promise.all([startPeer(), startPeer(), startPeer()])
  })

  after(() => Promise.all(peers.map((peer) => peer.stop())))

  // Not a moment for a snapshot: what was answered is in the journal.
  const ends: ReadonlyArray<readonly [how: string, signal: NodeJS.Signals, code: number | null]> = [
    ['kill -9', 'SIGKILL', null],
    ['an exception that nobody expected', 'SIGUSR2', 1],
  ]
  for (const [how, signal, code] of ends) {
    it(`by ${how} hands out the same list under the same PeerId when it is started again`, async (t) => {
      const cwd = await temporaryFolder(t)
      const nodeArguments = [
        '--import',
        "data:text/javascript,process.on('SIGUSR2', () => { throw new Error('boom') })",
      ]
      const first = startCli(t, ARGUMENTS, { cwd, nodeArguments })
      const before = await whereabouts(first)
      for (const peer of peers) {
        await ask(peer, before.address, { address: addressOf(peer) })
      }
      first.kill(signal)
      assert.equal((await first.ended).code, code)

      const second = startCli(t, ARGUMENTS, { cwd })
      const again = await whereabouts(second)
      assert.equal(again.peerId, before.peerId)
      for (const peer of peers) {
        const answer: Array<{ address: string }> = await ask(peer, again.address, {})
        assert.deepEqual(answer.map(({ address }) => address).sort(), peers.map(recordOf).sort())
        assert.equal(answer[0]!.address, recordOf(peer), 'its own record first')
      }
    })
  }

  it('proves again as often as the environment says: who is gone is out of the answers, and in again when back', async (t) => {
    const env = { BOOTSTRAP_PEER_REPROVE_INTERVAL: '1s' }
    const node = startCli(t, ARGUMENTS, { cwd: await temporaryFolder(t), env })
    const { address } = await whereabouts(node)
    const privateKey = await generateKeyPair('Ed25519')
    const first = await startPeer({ privateKey })
    const home = addressOf(first)
    await ask(first, address, { address: home })
    const listed = async () =>
      (await ask(peers[0]!, address, {})).some((each: { address: string }) => each.address.startsWith(home))
    assert.equal(await listed(), true)
    await first.stop()
    await until(async () => !(await listed()), 'it is out of the answers')
    const second = await startPeer({ privateKey, addresses: { listen: [home] } })
    t.after(() => second.stop())
    await until(listed, 'it is back without having said a word')
  })

  it('by SIGTERM has the whole list in peers.json, which the original can read', async (t) => {
    const cwd = await temporaryFolder(t)
    const node = startCli(t, ARGUMENTS, { cwd })
    const { address } = await whereabouts(node)
    for (const peer of peers) {
      await ask(peer, address, { address: addressOf(peer) })
    }
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    const list: Array<{ address: string }> = JSON.parse(await readFile(join(cwd, 'peers.json'), 'utf8'))
    assert.deepEqual(list.map((entry) => entry.address).sort(), peers.map(recordOf).sort())
  })

  it('starts with a list that was cut off or flipped anywhere, and serves what is intact of it, and nothing else', async (t) => {
    const good = Buffer.from(JSON.stringify(peers.map((peer) => ({ address: recordOf(peer) }))))
    const valid = new Set(peers.map(recordOf))
    // A few through the real command; test/store/file/damage.test.ts has every byte and bit.
    const rounds = Array.from({ length: ROUNDS }, (_, round) => round)
    let answered = 0
    await Promise.all([0, 1].map((lane) => startEach(rounds.filter((round) => round >> 2 === lane))))
    assert.ok(answered > 0, 'some entries are intact')

    async function startEach(lane: readonly number[]): Promise<void> {
      for (const round of lane) {
        const cwd = await temporaryFolder(t)
        await writeFile(join(cwd, 'peers.json'), damaged(good, round))
        const node = startCli(t, ARGUMENTS, { cwd })
        const { address } = await whereabouts(node)
        const answer = async (): Promise<string[]> =>
          (await ask(peers[0]!, address, {})).map((each: { address: string }) => each.address)
        const intact = intactEntries(damaged(good, round)).filter((each) => valid.has(each))
        answered += intact.length
        await until(
          async () => (await answer()).length >= intact.length,
          `round ${round}: ${intact} are served`,
          20_000,
          50,
        )
        assert.deepEqual((await answer()).sort(), intact.sort(), `round ${round}`)
        node.kill('SIGKILL')
        await node.ended
      }
    }
  })
})

describe('a disk that is full', { skip: canMount() ? false : 'needs root, to mount a small file system' }, () => {
  it('refuses new registrations, keeps the list, serves on, and takes registrations again when there is room', async (t) => {
    const cwd = await temporaryFolder(t)
    const disk = await newFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
    t.after(() => {
      execFileSync('umount', ['-l', disk])
      return rm(disk, { recursive: true })
    })
    const [early, late] = await Promise.all([startPeer(), startPeer()])
    t.after(() => Promise.all([early.stop(), late.stop()]))

    const node = startCli(t, [...ARGUMENTS, '--file', join(disk, 'peers.json')], { cwd })
    const { address } = await whereabouts(node)
    assert.deepEqual(await ask(early, address, { address: addressOf(early) }), [{ address: recordOf(early) }])
    await fill(disk)

    const refused = await registerUntilRefused(late, address)
    assert.equal(refused.error.code, 'unavailable')
    assert.deepEqual(refused.peers, [], 'a newcomer gets the list all the same')
    assert.deepEqual(await ask(late, address, {}), [{ address: recordOf(early) }])
    await node.line('cannot write to disk: still serving, new registrations are refused')

    await rm(join(disk, 'ballast'))
    await node.line('writes to disk again')
    const taken = await ask(late, address, { address: addressOf(late) })
    assert.deepEqual(taken, [{ address: recordOf(late) }, { address: recordOf(early) }])

    node.kill('SIGKILL')
    await node.ended
    const again = startCli(t, [...ARGUMENTS, '--file', join(disk, 'peers.json')], { cwd })
    assert.equal((await ask(late, (await whereabouts(again)).address, {})).length, 2)
    again.kill('SIGKILL')
    await again.ended
  })
})

async function whereabouts(node: CliProcess): Promise<{ peerId: string; address: string }> {
  const { peerId, multiaddrs } = (await node.line('ready')) as unknown as { peerId: string; multiaddrs: string[] }
  return { peerId, address: multiaddrs[0]! }
}

function recordOf(peer: Libp2p): string {
  return `${addressOf(peer)}/p2p/${peer.peerId}`
}

/** The page of the journal that is there already takes a few more; the one behind it is not to be had. */
async function registerUntilRefused(peer: Libp2p, bootstrap: string) {
  for (let i = 0; i < 60; i++) {
    const answer = await ask(peer, bootstrap, { address: addressOf(peer), network: `network ${i}` })
    if (answer.error !== undefined) {
      return answer
    }
  }
  throw new Error('the disk never was full')
}

/** Cut off somewhere in the even rounds, one bit flipped in the odd ones. */
function damaged(good: Buffer, round: number): Buffer {
  const at = Math.floor((good.length * round) / ROUNDS)
  if (round % 2 === 0) {
    return good.subarray(0, at)
  }
  const flipped = Buffer.from(good)
  flipped[at]! ^= 1 << (round % 8)
  return flipped
}

/** The addresses of a list that is JSON still; none of another one. A byte that is no UTF-8 spoils its own entry. */
function intactEntries(list: Buffer): string[] {
  try {
    const entries: Array<{ address?: string }> = JSON.parse(list.toString())
    return entries.flatMap(({ address }) => address ?? [])
  } catch {
    return []
  }
}

/** Writes until the last byte is gone. */
async function fill(disk: string): Promise<void> {
  const ballast = join(disk, 'ballast')
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) {
        await writeFile(ballast, Buffer.alloc(size), { flag: 'a' })
      }
    } catch (err) {
      assert.equal((err as NodeJS.ErrnoException).code, 'ENOSPC')
    }
  }
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
