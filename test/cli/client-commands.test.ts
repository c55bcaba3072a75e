import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { BootstrapClient } from '../../src/client/bootstrap-client.ts'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { startFakeBootstrap } from '../client/fake-bootstrap.ts'
import { runCli, startCli } from '../support/cli-process.ts'
import { addressOf, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('join, list and check', { concurrency: 2 }, () => {
  let bootstrap: BootstrapPeer
  let at: string
  let alice: Libp2p

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    alice = await startPeer()
    // A network for each test that counts peers, or waits for the first one: they run side by side.
    for (const network of ['x', 'join', 'join late']) {
      await new BootstrapClient(alice, at, { network }).register([addressOf(alice)])
    }
  })

  after(async () => {
    await Promise.all([alice, bootstrap].map((each) => each.stop()))
  })

  it('list prints whom bootstraps hand out', async (t) => {
    const cwd = await temporaryFolder(t)
    const { stdout, stderr, code } = await runCli(['list', at, '--network', 'x'], { cwd })
    assert.deepEqual({ stderr, code }, { stderr: '', code: 0 })
    assert.match(stdout, /^PEER +NAMED BY +ADDRESSES\n/)
    assert.match(stdout, new RegExp(`${alice.peerId} +1 of 1 +${addressOf(alice)}\n$`))

    const dead = at.replace(/tcp\/\d+\/p2p\/.*/, `tcp/1/p2p/${alice.peerId}`)
    const partly = await runCli(['list', at, dead, '--network', 'x', '--json'], { cwd })
    const { peers, errors } = JSON.parse(partly.stdout)
    assert.deepEqual(peers, [
      {
        peerId: alice.peerId.toString(),
        network: 'x',
        namedBy: [bootstrap.peerId.toString()],
        addresses: [addressOf(alice)],
      },
    ])
    assert.equal(errors[0].code, 'unreachable')
    assert.equal(partly.code, 0)
    const none = await runCli(['list', dead], { cwd })
    assert.deepEqual([none.code, none.stdout], [6, ''])
  })

  it('what a bootstrap says is escaped in JSON, too', async (t) => {
    const cwd = await temporaryFolder(t)
    const steering = '\x9b2J\u202e\u2028\x7f\u200f'
    const registrations = [{ address: steering, status: 'refused', code: steering, message: steering, expiresIn: null }]
    const says = { peers: [], observed: `/ip4/127.0.0.1/tcp/1${steering}`, registrations }
    const errors = { peers: [], error: { code: `no${steering}`, message: steering } }
    const [liar, failing] = await Promise.all(
      [says, errors].map((answer) => startFakeBootstrap(() => `${JSON.stringify(answer)}\n`)),
    )
    t.after(() => Promise.all([liar, failing].map((each) => each!.stop())))
    const [lies, fails] = [liar, failing].map((each) => String(each!.getMultiaddrs()[0])) as [string, string]

    const joined = startCli(t, ['join', lies, fails], { cwd })
    await joined.line('outcomes')
    await joined.line('failure')
    joined.kill('SIGTERM')
    const outputs = [
      (await runCli(['check', lies, fails, '--json'], { cwd })).stdout,
      (await runCli(['list', lies, fails, '--json'], { cwd })).stdout,
      (await joined.ended).stdout,
    ]
    assert(outputs[0]!.includes('\\u009b2J\\u202e'), 'the liar is quoted')
    assert(outputs[2]!.includes('\\u009b2J\\u202e'), 'the liar is quoted')
    for (const output of outputs) {
      assert.doesNotMatch(output.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }
  })

  it('check finds a bootstrap well, and this machine listed', async (t) => {
    const cwd = await temporaryFolder(t)
    const { stdout, code } = await runCli(['check', at, '--network', 'x', '--dial', '--require-listed', '--json'], {
      cwd,
    })
    assert.equal(code, 0)
    const { ok, listed, bootstraps } = JSON.parse(stdout)
    assert.deepEqual({ ok, listed }, { ok: true, listed: true })
    const [{ peerId, answeredIn, observed, registrations, dialled, peers }] = bootstraps
    assert.equal(peerId, bootstrap.peerId.toString())
    assert.ok(answeredIn > 0 && answeredIn < 10_000)
    assert.match(observed, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    assert.equal(registrations[0].status, 'listed')
    assert.equal(peers, 1)
    assert.deepEqual(dialled, { alive: 1, dead: [] })
    const left = await new BootstrapClient(alice, at, { network: 'x' }).discover()
    assert.deepEqual(
      left.peers.filter(({ id }) => id !== alice.peerId.toString()),
      [],
      'it leaves nothing behind',
    )
  })

  it('check registers the port of the family that it is seen in, also through a name', async (t) => {
    const cwd = await temporaryFolder(t)
    const name = at.replace('/ip4/127.0.0.1/', '/dns4/localhost/')
    const { stdout, code } = await runCli(['check', name, '--require-listed', '--json'], { cwd })
    const [{ registrations }] = JSON.parse(stdout).bootstraps
    assert.deepEqual(
      registrations.map(({ status }: { status: string }) => status),
      ['listed'],
    )
    assert.equal(code, 0)
  })

  it('check tells a name that does not resolve, and goes on with the others', async (t) => {
    const cwd = await temporaryFolder(t)
    const dead = at.replace('/ip4/127.0.0.1/', '/dns4/bootstrap.invalid/')
    const text = await runCli(['check', dead, '/dnsaddr/bootstraps.invalid'], { cwd })
    assert.deepEqual({ stderr: text.stderr, code: text.code }, { stderr: '', code: 6 })
    assert.match(
      text.stdout,
      /✖ the name bootstrap\.invalid (has no IPv4 address|could not be looked up) \(\w+\)\n.*is spelled right/,
    )
    assert.match(text.stdout, /\/dnsaddr\/bootstraps\.invalid\n {2}✖ it could not be looked up.*\n.*is spelled right/)

    const partly = await runCli(['check', at, '/dnsaddr/bootstraps.invalid', '--json'], { cwd })
    const { ok, bootstraps } = JSON.parse(partly.stdout)
    assert.equal(ok, false)
    assert.deepEqual(
      bootstraps.map(({ error }: { error?: { code: string } }) => error?.code),
      [undefined, 'name_not_resolved'],
    )
    const listed = await runCli(['list', at, '/dnsaddr/bootstraps.invalid', '--json'], { cwd })
    assert.equal(listed.code, 0)
    assert.equal(JSON.parse(listed.stdout).errors[0].code, 'name_not_resolved')
    assert.match(listed.stderr, /bootstraps\.invalid gave no answer: it could not be looked up/)
  })

  it('check shows the siblings of a bootstrap, and which of them answer and name it back', async (t) => {
    const cwd = await temporaryFolder(t)
    const backTo: string[] = []
    const answer = (bootstraps: readonly string[]) => `${JSON.stringify({ peers: [], bootstraps })}\n`
    const [mutual, oneWay] = await Promise.all([
      startFakeBootstrap(() => answer(backTo)),
      startFakeBootstrap(() => answer([])),
    ])
    const [fine, deaf] = [mutual, oneWay].map((each) => String(each.getMultiaddrs()[0])) as [string, string]
    const gone = fine.replace(/tcp\/\d+\/p2p\/.*/, `tcp/1024/p2p/${alice.peerId}`)
    const well = createBootstrapPeer({ siblings: [fine] })
    const ill = createBootstrapPeer({ siblings: [fine, deaf, gone] })
    t.after(() => Promise.all([mutual, oneWay, well, ill].map((each) => each.stop())))
    await Promise.all([well.start(), ill.start()])
    backTo.push(well.multiaddrs[0]!, ill.multiaddrs[0]!)

    const good = await runCli(['check', well.multiaddrs[0]!], { cwd })
    assert.match(good.stdout, /✔ siblings that answer and name it back: 1 of 1\n/)
    const bad = await runCli(['check', ill.multiaddrs[0]!], { cwd })
    assert.equal(bad.code, 0, 'a sibling that is down is not the fault of the bootstrap')
    assert.match(bad.stdout, /! siblings that answer and name it back: 1 of 3\n/)
    assert.ok(bad.stdout.includes(`${gone}: nothing answers at its address (unreachable)\n`))
    assert.match(bad.stdout, new RegExp(`${deaf}: answered in \\d+ ms, but does not name this bootstrap`))

    const { stdout } = await runCli(['check', ill.multiaddrs[0]!, '--json'], { cwd })
    const siblings = JSON.parse(stdout).bootstraps[0].siblings as Array<Record<string, unknown>>
    assert.deepEqual(
      siblings.map(({ address, ok, namesBack }) => ({ address, ok, namesBack })),
      [
        { address: fine, ok: true, namesBack: true },
        { address: deaf, ok: true, namesBack: false },
        { address: gone, ok: false, namesBack: undefined },
      ],
    )
  })

  it('check asks a bootstrap that names itself for no sibling', async (t) => {
    const cwd = await temporaryFolder(t)
    const named: string[] = []
    const vain = await startFakeBootstrap(() => `${JSON.stringify({ peers: [], bootstraps: named })}\n`)
    t.after(() => vain.stop())
    named.push(String(vain.getMultiaddrs()[0]))
    const { stdout } = await runCli(['check', named[0]!, '--json'], { cwd })
    assert.deepEqual(JSON.parse(stdout).bootstraps[0].siblings, [])
  })

  it('check says why this machine is not listed, and fails only when asked to', async (t) => {
    const cwd = await temporaryFolder(t)
    const picky = createBootstrapPeer({ networks: ['y'] })
    await picky.start()
    t.after(() => picky.stop())
    const { stdout, code } = await runCli(['check', picky.multiaddrs[0]!], { cwd })
    assert.equal(code, 0)
    assert.match(stdout, /! does not list this machine\n/)
    assert.match(stdout, /it sees this machine at \/ip4\/127/)
    assert.match(
      stdout,
      /\/ip4\/127\.0\.0\.1\/tcp\/\d+: this bootstrap does not serve this network \(network_not_served\)/,
    )
    assert.equal((await runCli(['check', picky.multiaddrs[0]!, '--require-listed'], { cwd })).code, 7)
  })

  it('check tells an address where nobody, nobody of us, or somebody else answers', async (t) => {
    const cwd = await temporaryFolder(t)
    const nobody = at.replace(/tcp\/\d+/, 'tcp/1')
    const renamed = `${addressOf(alice)}/p2p/${bootstrap.peerId}`
    const noBootstrap = String(alice.getMultiaddrs()[0])
    for (const [address, expected] of [
      [nobody, /✖ nothing answers at its address\n.*see that it runs/],
      [renamed, new RegExp(`✖ another peer answers at its address \\(it is ${alice.peerId}\\)\n.*restore the old key`)],
      [noBootstrap, /✖ a libp2p node answers there, but it is no bootstrap/],
    ] as const) {
      const { stdout, stderr, code } = await runCli(['check', address], { cwd })
      assert.deepEqual({ stderr, code }, { stderr: '', code: 6 })
      assert.match(stdout, expected)
    }
  })

  it('join registers, shows its connections, and unregisters', async (t) => {
    const cwd = await temporaryFolder(t)
    const joined = startCli(t, ['join', at, '--network', 'join'], { cwd })
    const { peerId } = await joined.line('ready')
    assert.equal((await joined.line('connected')).peer, alice.peerId.toString())
    const { registrations } = (await joined.line('outcomes')) as unknown as { registrations: Array<{ status: string }> }
    assert.equal(registrations[0]!.status, 'listed')
    const asked = await new BootstrapClient(alice, at, { network: 'join' }).discover()
    assert.ok(asked.peers.some(({ id }) => id === peerId))
    joined.kill('SIGTERM')
    const { code, stderr } = await joined.ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const after = await new BootstrapClient(alice, at, { network: 'join' }).discover()
    assert.ok(!after.peers.some(({ id }) => id === peerId))
  })

  it('join is not held up by a name that does not resolve, and says so', async (t) => {
    const cwd = await temporaryFolder(t)
    const joined = startCli(t, ['join', '/dnsaddr/bootstraps.invalid', at, '--network', 'join late'], { cwd })
    await joined.line('ready')
    assert.match(String((await joined.line('warning')).message), /bootstraps\.invalid could not be looked up/)
    assert.equal((await joined.line('connected')).peer, alice.peerId.toString())
    joined.kill('SIGTERM')
    assert.equal((await joined.ended).code, 0)
  })

  it('say what is wrong with what was typed', async (t) => {
    const cwd = await temporaryFolder(t)
    const mistakes: ReadonlyArray<readonly [string[], RegExp]> = [
      [['list', '203.0.113.7:4000'], /"203\.0\.113\.7:4000" is no bootstrap; write its multiaddr with its PeerId/],
      [['list', at, '--limit', '5000'], /--limit 5000 is not a whole number from 0 to 1000/],
      [['join', at, '--prot', '1'], /unknown option --prot.*did you mean --port/],
      [['join', at, '--cache', ''], /--cache is empty; write the path of a file/],
      [['join', at, '--port', '99999'], /--port 99999 is not a whole number from 0 to 65535/],
    ]
    for (const [args, message] of mistakes) {
      const { code, stdout, stderr } = await runCli(args, { cwd })
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' })
      assert.match(stderr, /^bootstrap-peer: .*\n$/)
      assert.match(stderr, message)
    }
    assert.match(
      (await runCli(['check', '--help'], { cwd })).stdout,
      /check \[<bootstrap>\.\.\.\]: Find out what is wrong[\s\S]*--require-listed/,
    )
  })
})
