import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { peerIdFromString } from '@libp2p/peer-id'
import { parseIp } from '../../src/peer/ip.ts'
import { accessList, parseRange } from '../../src/policy/access-list.ts'

const ID = '12D3KooWEPumsK2iPDXHvJYEBJTfnMBhVQJBfZ9XjMBLuo1pjjKE'

describe('accessList', () => {
  const table: ReadonlyArray<{ deny?: string[]; allow?: string[]; id?: string; ip: string; permits: boolean }> = [
    { ip: '8.8.8.8', permits: true },
    { deny: ['8.8.8.8'], ip: '8.8.8.8', permits: false },
    { deny: ['8.8.8.8'], ip: '8.8.8.9', permits: true },
    { deny: ['8.8.0.0/16'], ip: '8.8.255.1', permits: false },
    { deny: ['8.8.0.0/16'], ip: '8.9.0.0', permits: true },
    { deny: ['0.0.0.0/0'], ip: '8.9.0.0', permits: false },
    { deny: ['0.0.0.0/0'], ip: '2a01::1', permits: true },
    { deny: ['2a01:4f8::/32'], ip: '2a01:4f8:1::1', permits: false },
    { deny: ['2a01:4f8::/32'], ip: '2a01:4f9::1', permits: true },
    { deny: [ID], id: ID, ip: '8.8.8.8', permits: false },
    { deny: [peerIdFromString(ID).toCID().toString()], id: ID, ip: '8.8.8.8', permits: false },
    { allow: [ID], id: ID, ip: '8.8.8.8', permits: true },
    { allow: [ID], ip: '8.8.8.8', permits: false },
    { allow: ['8.8.8.0/24', ID], ip: '8.8.8.8', permits: true },
    { allow: ['8.8.8.0/24'], deny: ['8.8.8.8'], ip: '8.8.8.8', permits: false },
    { allow: ['8.8.8.0/24'], deny: [ID], id: ID, ip: '8.8.8.8', permits: false },
  ]
  for (const { deny = [], allow = [], id = 'another', ip, permits } of table) {
    it(`deny [${deny}] allow [${allow}] ${permits ? 'permits' : 'keeps out'} ${id.slice(0, 8)} at ${ip}`, () => {
      assert.equal(accessList({ deny, allow }).permits(id, parseIp(ip)!), permits)
    })
  }
})

describe('parseRange', () => {
  it('reads addresses and ranges', () => {
    assert.deepEqual(parseRange('10.0.0.0/8'), { ip: { family: 4, text: '10.0.0.0' }, bits: 8 })
    assert.deepEqual(parseRange('10.0.0.1'), { ip: { family: 4, text: '10.0.0.1' }, bits: 32 })
    assert.deepEqual(parseRange('2A01::/128'), { ip: { family: 6, text: '2a01::' }, bits: 128 })
  })

  it('takes nothing that a typing error could have made of one: a slash too much must not shut out the world', () => {
    for (const text of [
      '10.0.0.0/',
      '10.0.0.0/ 8',
      '10.0.0.0/8/8',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/1e1',
      '10.0.0.0/0x8',
      '::/129',
      '10.0/8',
      '/8',
      '',
      ID,
    ]) {
      assert.equal(parseRange(text), undefined, text)
    }
  })
})
