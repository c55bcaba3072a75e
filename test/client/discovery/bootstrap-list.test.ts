import assert from 'node:assert/strict'
import { it } from 'node:test'
import { resolveBootstraps } from '../../../src/client/discovery/bootstrap-list.ts'
import { anyPeerId } from '../../support/known-peers.ts'

const NAME = '/dnsaddr/boot.example'
const at = (id: string, ip = '8.8.8.8') => `/ip4/${ip}/tcp/4000/p2p/${id}`
const signal = AbortSignal.timeout(10_000)

it('a name of the DNS is one origin, however many bootstraps its records hold', async () => {
  const [a, b, c, written] = Array.from({ length: 4 }, anyPeerId) as [string, string, string, string]
  const { origins } = await resolveBootstraps(
    { bootstraps: [NAME, `/dnsaddr/pinned.example/p2p/${c}`, at(written)] },
    async (name) =>
      name === '_dnsaddr.boot.example'
        ? [a, b, written].map((id) => `dnsaddr=${at(id)}`).concat('dnsaddr=/dnsaddr/further.example')
        : [`dnsaddr=${at(c)}`],
    signal,
  )
  // The name that comes first has the bootstrap that both hold.
  assert.deepEqual(
    origins,
    new Map([
      [written, written],
      [a, NAME],
      [b, NAME],
      [c, NAME],
    ]),
  )
})

it('a name that is pinned with /p2p gives the bootstrap a voice of its own', async () => {
  const [id, other] = [anyPeerId(), anyPeerId()]
  const { found, origins } = await resolveBootstraps(
    { bootstraps: [`${NAME}/p2p/${id}`] },
    async () => [id, other].map((each) => `dnsaddr=${at(each)}`),
    signal,
  )
  assert.deepEqual([...found.keys()], [id])
  assert.deepEqual(origins, new Map([[id, id]]))
})

it('a zone whose records name others without end costs 64 look-ups', async () => {
  let lookups = 0
  const { faults } = await resolveBootstraps(
    { bootstraps: [NAME] },
    async (name) => {
      lookups++
      return Array.from({ length: 64 }, (_, n) => `dnsaddr=/dnsaddr/${n}.${name.replace('_dnsaddr.', '')}`)
    },
    signal,
  )
  assert.equal(lookups, 64)
  assert.equal(faults.length, 1)
})
