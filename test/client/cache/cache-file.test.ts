import assert from 'node:assert/strict'
import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { readCache, writeCache } from '../../../src/client/cache/cache-file.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ID = '12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE'
const ORIGIN = '12D3KooWBFqw6snWiLFvPCN5omYjXA1n4aCPePASqckbsKrpPv9H'
const BOOTSTRAP = { id: ID, addresses: [`/ip4/9.9.9.9/tcp/4000/p2p/${ID}`] }

async function cachePath(t: TestContext): Promise<string> {
  return join(await temporaryFolder(t), 'cache.json')
}

it('a cache that has the origin of a bootstrap as `root`, as older ones do, is read', async (t) => {
  const path = await cachePath(t)
  await writeFile(path, JSON.stringify({ version: 1, bootstraps: [{ ...BOOTSTRAP, root: ORIGIN }], peers: [] }))
  const contents = { peers: [], bootstraps: [{ ...BOOTSTRAP, origin: ORIGIN, unnamedMs: 0 }] }
  assert.deepEqual(await readCache(path, 0), { status: 'read', contents })
})

it('a cache is written with `origin`, and read back', async (t) => {
  const path = await cachePath(t)
  const contents = { peers: [], bootstraps: [{ ...BOOTSTRAP, origin: ORIGIN, unnamedMs: 0 }] }
  await writeCache(path, contents)
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')).bootstraps, contents.bootstraps)
  assert.deepEqual(await readCache(path, 0), { status: 'read', contents })
})

it('a cache that does not say which addresses were dialled, as older ones do not, has the first as dialled', async (t) => {
  const path = await cachePath(t)
  const peer = { id: ID, addresses: ['/ip4/9.9.9.9/tcp/4000', '/ip4/9.9.9.9/tcp/4001'], workedAt: 1 }
  await writeFile(path, JSON.stringify({ version: 1, bootstraps: [], peers: [peer, { ...peer, dialled: -1 }] }))
  assert.deepEqual(await readCache(path, 0), {
    status: 'read',
    contents: { peers: [{ ...peer, dialled: 1, origins: [] }], bootstraps: [] },
  })
})

it('a cache is not written through a link that stands where its draft goes', async (t) => {
  const path = await cachePath(t)
  const victim = `${path}.victim`
  await writeFile(victim, 'precious')
  await symlink(victim, `${path}.tmp`)
  await writeCache(path, { peers: [], bootstraps: [] })
  assert.equal(await readFile(victim, 'utf8'), 'precious')
  assert.equal((await readCache(path, 0)).status, 'read')
})
