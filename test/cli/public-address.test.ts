import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { BIN } from '../support/cli-process.ts'
import { namespaceFault, spawnInNamespace } from '../support/namespace.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('a machine with public addresses', { skip: namespaceFault() ?? false }, () => {
  it('is told where others reach it, in public too', async (t) => {
    const listen = ['/ip4/45.1.0.1/tcp/4001', '/ip6/2a00:1::1/tcp/4001', '/ip4/10.7.0.1/tcp/4001']
    const args = [BIN, 'start', ...listen.flatMap((address) => ['--listen', address])]
    const child = spawnInNamespace(args, await temporaryFolder(t))
    t.after(() => child.kill('SIGKILL'))
    for await (const line of createInterface({ input: child.stdout! })) {
      const { msg, multiaddrs } = JSON.parse(line)
      if (msg === 'ready') {
        assert.deepEqual(
          multiaddrs.map((each: string) => each.replace(/\/p2p\/.*/, '')),
          listen,
        )
        return
      }
    }
    assert.fail('it never was ready')
  })
})
