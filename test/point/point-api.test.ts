import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { openRecord, type SignedRecord } from '../../src/peer/record.ts'
import { LocalPoint } from '../../src/point/local-point.ts'
import type { AddressOutcome, PointApi, RecordRequest } from '../../src/point/point-api.ts'
import { SignedRecords } from '../../src/point/signed-records.ts'
import { StoreUnavailableError } from '../../src/store/store.ts'
import { callerFrom, type TestPoint, testPoint } from '../support/points.ts'
import { sealRecord } from '../support/records.ts'
import { RULES } from '../support/rules.ts'
import { HOUR, NOW } from '../support/tables.ts'

const key = await generateKeyPairFromSeed('Ed25519', Buffer.alloc(32, 'a peer'))
const PEER = peerIdFromPrivateKey(key).toString()
const HOME = '/ip4/8.8.8.8/tcp/4001'
const SECOND = '/ip4/8.8.8.8/tcp/4002'
const ELSEWHERE = '/ip4/9.9.9.9/tcp/4001'
const CALLER = callerFrom(PEER, HOME)
const READER = callerFrom('reader', '/ip4/1.1.1.1/tcp/50000')
const NEVER = new AbortController().signal
const TTL = { ttlMs: 2 * HOUR }
const ALL = { form: 'standard', from: undefined, limit: 100, maxBytes: Infinity } as const
const MADE_UP = { upTo: 1_000_000, turn: undefined } as const

describe('a disk that takes nothing', () => {
  it('registers nothing: what would have been is refused with unavailable, what a rule refuses with its own', async () => {
    const { api, disk, registry } = setUp()
    disk.isFull = true
    const addresses = ['no address', HOME, ELSEWHERE, SECOND]
    const outcomes = await api.register(CALLER, { network: '', addresses, ...TTL }, NEVER)
    assert.deepEqual(codesOf(outcomes), ['address_invalid', 'unavailable', 'ip_mismatch', 'unavailable'])
    assert.deepEqual(requestedOf(outcomes), addresses)
    assert.equal(registry.size, 0)
    assert.deepEqual(await api.discover(READER, { network: '', limit: 10, maxBytes: Infinity }), [])
  })

  it('takes no record', async () => {
    const { api, disk, registry } = setUp()
    disk.isFull = true
    assert.deepEqual(await api.registerRecord(CALLER, await recordRequest(), NEVER), {
      status: 'refused',
      code: 'unavailable',
    })
    assert.equal(registry.peerRecords.size, 0)
  })

  it('removes nothing, but what is not there is removed all the same', async () => {
    const { api, disk, registry } = setUp()
    await api.register(CALLER, { network: '', addresses: [HOME], ...TTL }, NEVER)
    disk.isFull = true
    const outcomes = await api.unregister(CALLER, { network: '', addresses: [SECOND, HOME] })
    assert.deepEqual(codesOf(outcomes), ['removed', 'unavailable'])
    assert.deepEqual(codesOf(await api.unregister(CALLER, { network: '', addresses: [] })), ['unavailable'])
    assert.equal(registry.size, 1)
  })

  it('is no exception where nothing is answered', async () => {
    const { api, disk, registry } = setUp()
    disk.isFull = true
    await api.learn(CALLER, { network: '', addresses: [HOME] })
    assert.equal(registry.size, 0)
  })

  it('is told from a bug of the store, which rejects and registers nothing', async () => {
    const { api, disk, registry } = setUp()
    disk.bug = new Error('a bug')
    await assert.rejects(api.register(CALLER, { network: '', addresses: [HOME], ...TTL }, NEVER), disk.bug)
    assert.equal(registry.size, 0)
  })
})

describe('a network that is not served', () => {
  it('is a refusal of each method that changes something, and of a page', async () => {
    const { api } = setUp({ networks: ['mine'] })
    const other = { network: 'another', addresses: [HOME] }
    assert.deepEqual(codesOf(await api.register(CALLER, { ...other, ...TTL }, NEVER)), ['network_not_served'])
    assert.deepEqual(await api.registerRecord(CALLER, await recordRequest('another'), NEVER), {
      status: 'refused',
      code: 'network_not_served',
    })
    assert.deepEqual(await api.discoverRecords(READER, { network: 'another', ...ALL }), {
      refused: 'network_not_served',
    })
    assert.deepEqual(await api.discover(READER, { network: 'another', limit: 10, maxBytes: Infinity }), [])
  })
})

it('a position that was never given is refused', async () => {
  const { api } = setUp()
  assert.deepEqual(await api.discoverRecords(READER, { network: '', ...ALL, from: MADE_UP }), {
    refused: 'position_impossible',
  })
})

it('outcomes are in the order of the addresses, whichever is proved first', async () => {
  const { api, answers } = setUp()
  const { promise, resolve } = Promise.withResolvers<void>()
  answers.before = (address) => (address === HOME ? promise : Promise.resolve(resolve()))
  const addresses = [HOME, SECOND, 'no address']
  const outcomes = await api.register(CALLER, { network: '', addresses, ...TTL }, NEVER)
  assert.deepEqual(requestedOf(outcomes), addresses)
  assert.deepEqual(codesOf(outcomes), ['listed', 'listed', 'address_invalid'])
})

it('all that a point gives is a plain value', async () => {
  const { api } = setUp({ statics: [SECOND] })
  const addresses = [HOME, SECOND, ELSEWHERE, 'no address']
  const values = {
    register: await api.register(CALLER, { network: '', addresses, ...TTL }, NEVER),
    registerRecord: await api.registerRecord(CALLER, await recordRequest(), NEVER),
    discover: await api.discover(READER, { network: '', limit: 10, maxBytes: Infinity }),
    recordForms: await api.recordForms(CALLER, ''),
    discoverRecords: await api.discoverRecords(READER, { network: '', ...ALL }),
    unsigned: await api.discoverRecords(READER, { network: undefined, ...ALL, form: 'unsigned' }),
    proveCaller: await api.proveCaller(CALLER, ELSEWHERE, NEVER),
    unregister: await api.unregister(CALLER, { network: '', addresses: [] }),
  }
  assert.deepEqual(structuredClone(values), values)
  assert.deepEqual(codesOf(values.register), ['listed', 'listed', 'ip_mismatch', 'address_invalid'])
  assert.deepEqual(values.discover, [{ id: PEER, addresses: [SECOND, HOME], verified: true }])
  assert.ok('entries' in values.discoverRecords && 'entries' in values.unsigned)
  assert.equal(values.discoverRecords.entries.length, 1)
  assert.equal(values.discoverRecords.entries[0]!.peerId, PEER)
  assert.deepEqual(values.recordForms, { own: 'standard', usual: 'standard' })
  assert.deepEqual(codesOf(values.unregister).toSorted(), ['removed', 'static'])
})

it('discover stops once what the answer has room for is reached', async () => {
  const { api } = setUp()
  for (let n = 0; n < 20; n++) {
    const address = `/ip4/11.${n}.0.1/tcp/4001`
    await api.register(callerFrom(PEER + n, address), { network: '', addresses: [address], ...TTL }, NEVER)
  }
  const bytes = `/ip4/11.10.0.1/tcp/4001/p2p/${PEER}10`.length * 4
  const peers = await api.discover(READER, { network: '', limit: 100, maxBytes: bytes })
  assert.ok(peers.length >= 4 && peers.length <= 5, `${peers.length} peers`)
})

describe('what is learned of a caller', () => {
  it('is registered for a day, and shortens nothing', async () => {
    const { api, registry } = setUp()
    await api.learn(CALLER, { network: '', addresses: [HOME] })
    assert.equal(registry.find({ network: '', peerId: PEER, address: HOME })?.expiresAt, NOW + 24 * HOUR)
    await api.register(CALLER, { network: '', addresses: [HOME], ttlMs: 72 * HOUR }, NEVER)
    await api.learn(CALLER, { network: '', addresses: [HOME] })
    assert.equal(registry.find({ network: '', peerId: PEER, address: HOME })?.expiresAt, NOW + 72 * HOUR)
    // A request of the peer itself says how long.
    await api.register(CALLER, { network: '', addresses: [HOME], ...TTL }, NEVER)
    assert.equal(registry.find({ network: '', peerId: PEER, address: HOME })?.expiresAt, NOW + 2 * HOUR)
  })
})

describe('a caller that wants to be dialed back', () => {
  it('is, at its own IP, and nothing is registered', async () => {
    const { api, registry, answers } = setUp()
    assert.deepEqual(await api.proveCaller(CALLER, HOME, NEVER), { ok: true })
    assert.deepEqual(await api.proveCaller(CALLER, `:4001`, NEVER), { ok: true })
    assert.deepEqual(answers.dialed, [HOME, HOME])
    assert.equal(registry.size, 0)
  })

  for (const [address, code] of [
    [ELSEWHERE, 'ip_mismatch'],
    ['no address', 'address_invalid'],
    [`${HOME}/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5`, 'peer_mismatch'],
    ['/ip4/8.8.8.8/tcp/25', 'port_not_allowed'],
  ] as const) {
    it(`is not dialed at ${address}`, async () => {
      const { api, answers } = setUp()
      const proof = await api.proveCaller(CALLER, address, NEVER)
      assert.equal(proof.ok ? '' : proof.refusal.code, code)
      assert.deepEqual(answers.dialed, [])
    })
  }

  it('is told of another peer there, of a dial that takes too long, and of a budget that is used up', async () => {
    const { api, answers } = setUp()
    const codeOf = async (caller = CALLER, signal = NEVER) => {
      const proof = await api.proveCaller(caller, HOME, signal)
      return proof.ok ? 'ok' : proof.refusal.code
    }
    assert.equal(
      await codeOf(callerFrom('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5', HOME)),
      'dial_wrong_peer',
    )
    assert.equal(await codeOf(CALLER, AbortSignal.abort()), 'dial_timeout')
    const codes: string[] = []
    for (let n = 0; n < 40; n++) {
      codes.push(await codeOf())
    }
    assert.equal(codes.at(-1), 'dial_busy')
    assert.ok(answers.dialed.length <= 32, `${answers.dialed.length} dials towards one IP`)
  })
})

interface World extends Pick<TestPoint, 'registry'> {
  readonly api: PointApi
  readonly disk: { isFull: boolean; bug: Error | undefined }
  readonly answers: { readonly dialed: string[]; before: (address: string) => Promise<void> }
}

/** A point of this process, on a disk that the test fills. {@link PEER} answers wherever it is dialed. */
function setUp({ networks, statics = [] }: { networks?: string[]; statics?: string[] } = {}): World {
  const disk: World['disk'] = { isFull: false, bug: undefined }
  const answers: World['answers'] = { dialed: [], before: async () => {} }
  const rules = { ...RULES, networks: networks && new Set(networks) }
  const { point, registry, first } = testPoint({
    clock: () => NOW,
    rules,
    dial: async (address) => {
      answers.dialed.push(address)
      await answers.before(address)
      const [, , ip] = address.split('/')
      return { peerId: ip!.startsWith('11.') ? PEER + Number(ip!.split('.')[1]) : PEER }
    },
    store: {
      append: async () => {
        if (disk.bug !== undefined) {
          throw disk.bug
        }
        if (disk.isFull) {
          throw new StoreUnavailableError('ENOSPC', undefined)
        }
      },
    },
  })
  point.operatorList.restore({
    records: [],
    statics: statics.map((address) => ({ json: { address }, registration: { network: '', peerId: PEER, address } })),
    trusted: true,
    warnings: [],
  })
  const records = new SignedRecords({ point, rules, random: Math.random })
  return { api: new LocalPoint({ point, records, learner: undefined, prover: first }), registry, disk, answers }
}

async function recordRequest(network = ''): Promise<RecordRequest> {
  const record = await openRecord(await sealRecord(key, [HOME], { seq: 1n }))
  return { network, record: record as SignedRecord, ...TTL }
}

/** The code of each refusal, the status of what is not refused. */
function codesOf(outcomes: readonly AddressOutcome[]): string[] {
  return outcomes.map((each) => (each.status === 'refused' ? each.refusal.code : each.status))
}

function requestedOf(outcomes: readonly AddressOutcome[]): string[] {
  return outcomes.map(({ requested }) => requested)
}
