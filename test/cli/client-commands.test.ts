import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { BootstrapClient } from '../../src/client/bootstrap-client.ts'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { runCli, startCli, temporaryFolder } from '../support/cli-process.ts'
import { addressOf, startPeer } from '../support/peers.ts'

describe('join, list and check', { concurrency: 2 }, () => {
  let bootstrap: BootstrapPeer
  let at: string
  let alice: Libp2p

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    alice = await startPeer()
    await new BootstrapClient(alice, at, { network: 'x' }).register([addressOf(alice)])
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
      { peerId: alice.peerId.toString(), namedBy: [bootstrap.peerId.toString()], addresses: [addressOf(alice)] },
    ])
    assert.equal(errors[0].code, 'unreachable')
    assert.equal(partly.code, 0)
    assert.equal((await runCli(['list', dead], { cwd })).code, 6)
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
    assert.equal(bootstrap.status().registrations, 1, 'it leaves nothing behind')
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
      [nobody, /✖ nobody answers at its address\n.*see that it runs/],
      [renamed, new RegExp(`✖ another peer answers at its address \\(it is ${alice.peerId}\\)\n.*restore the old key`)],
      [noBootstrap, /✖ a libp2p node answers there, but it is no bootstrap/],
    ] as const) {
      const { stdout, stderr, code } = await runCli(['check', address], { cwd })
      assert.deepEqual({ stderr, code }, { stderr: '', code: 6 })
      assert.match(stdout, expected)
    }
  })

  it('join registers, shows who comes and goes, and takes itself back', async (t) => {
    const cwd = await temporaryFolder(t)
    const joined = startCli(t, ['join', at, '--network', 'x'], { cwd })
    const { peerId } = await joined.line('ready')
    assert.equal((await joined.line('connected')).peer, alice.peerId.toString())
    const { registrations } = (await joined.line('verdicts')) as unknown as { registrations: Array<{ status: string }> }
    assert.equal(registrations[0]!.status, 'listed')
    const asked = await new BootstrapClient(alice, at, { network: 'x' }).discover()
    assert.ok(asked.peers.some(({ id }) => id === peerId))
    joined.kill('SIGTERM')
    const { code, stderr } = await joined.ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const after = await new BootstrapClient(alice, at, { network: 'x' }).discover()
    assert.ok(!after.peers.some(({ id }) => id === peerId))
  })

  it('say what is wrong with what was typed', async (t) => {
    const cwd = await temporaryFolder(t)
    const mistakes: ReadonlyArray<readonly [string[], RegExp]> = [
      [['check'], /check needs <bootstrap>\.\.\.; for example: bootstrap-peer check \/ip4/],
      [['list', '203.0.113.7:4000'], /"203\.0\.113\.7:4000" is no bootstrap; write its multiaddr with its PeerId/],
      [['list', at, '--limit', '5000'], /--limit 5000 is not a whole number from 0 to 1000/],
      [['join', at, '--prot', '1'], /unknown option --prot.*did you mean --port/],
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
      /check <bootstrap>\.\.\.: Tell what is wrong[\s\S]*--require-listed/,
    )
  })
})
