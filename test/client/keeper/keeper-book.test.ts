import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Entry } from '../../../src/client/keeper/entry.ts'
import { KeeperBook, SHORT_MS } from '../../../src/client/keeper/keeper-book.ts'
import { planDials } from '../../../src/client/keeper/keeper-plan.ts'
import { FEELER_MS } from '../../../src/client/keeper/voices.ts'
import { readAddress } from '../../../src/client/offered-peers.ts'

const NOW = 1_000_000
const at = (ip: string, port = 4001) => [readAddress(`/ip4/${ip}/tcp/${port}`)!]
const outbound = (entry: Entry) => ({ outbound: true, at: entry.addresses[0] })
const inbound = (ip: string) => ({ outbound: false, at: at(ip)[0] })

describe('the book of a keeper', () => {
  const idsOf = (book: KeeperBook) => book.available.map(({ id }) => id)
  const count = (book: KeeperBook, name: string) => idsOf(book).filter((id) => id.startsWith(name)).length

  function bookOf(honest: number): KeeperBook {
    const book = new KeeperBook()
    for (let n = 0; n < honest; n++) {
      book.add(`honest ${n}`, at(`${20 + n}.1.0.1`), ['a'])
    }
    return book
  }

  describe('has room by IP and network group', () => {
    it('so that new PeerIds at an IP take the places of older ones there, and of no others', () => {
      const book = bookOf(60)
      for (let n = 0; n < 600; n++) {
        book.add(`planted ${n}`, at(`160.${n % 4}.0.1`, 2000 + n), ['a'])
      }
      assert.equal(count(book, 'planted'), 16)
      assert.equal(count(book, 'honest'), 60)
      assert.ok(idsOf(book).includes('planted 599'))
      for (let n = 0; n < 600; n++) {
        book.add(`group ${n}`, at(`161.0.${n >> 8}.${n & 255}`), ['a'])
      }
      assert.equal(count(book, 'group'), 16)
    })

    it('shared by the origins that name peers there', () => {
      const book = bookOf(60)
      const seen = (origin: string) => [...idsOf(book)].filter((id) => id.startsWith(origin)).length
      for (let n = 0; n < 4; n++) {
        book.add(`b ${n}`, at('8.8.8.8', 2000 + n), ['b'])
        book.add(`both ${n}`, at('9.9.9.9', 2000 + n), ['a', 'b'])
      }
      for (let n = 0; n < 500; n++) {
        book.add(`liar ${n}`, at('8.8.8.8', 3000 + n), ['liar'])
        book.add(`liar too ${n}`, at('9.9.9.9', 3000 + n), ['liar'])
      }
      assert.equal(seen('b '), 2)
      assert.equal(seen('liar'), 2)
      assert.equal(seen('both'), 4)
    })

    it('never takes that of a peer that is connected or being dialled', () => {
      const book = bookOf(60)
      const [connected, dialled] = ['x', 'y'].map((id, n) => book.add(id, at('8.8.8.8', 2000 + n), ['a'])!)
      book.opened(connected!, outbound(connected!), NOW)
      book.dialling(dialled!)
      for (let n = 0; n < 100; n++) {
        book.add(`z ${n}`, at('8.8.8.8', 3000 + n), ['a'])
      }
      assert.ok(book.get('x') !== undefined && book.get('y') !== undefined)
    })

    it('holds any number at one place while there are few, as in a household', () => {
      const book = new KeeperBook()
      for (let n = 0; n < 60; n++) {
        assert.ok(book.add(`${n}`, at('8.8.8.8', 2000 + n), ['a']))
      }
      assert.equal(book.size, 60)
    })

    it('of 1000 in all, shared by the origins too', () => {
      const book = new KeeperBook()
      for (let n = 0; n < 1500; n++) {
        book.add(`liar ${n}`, at(`${20 + (n % 150)}.${n >> 6}.0.1`), ['liar'])
      }
      assert.equal(book.size, 1000)
      assert.ok(book.add('honest', at('8.8.8.8'), ['a']))
      assert.equal(book.size, 1000)
    })
  })

  it('holds 4 of one IP and 16 of a network group that connected to the node', () => {
    const book = new KeeperBook()
    for (let n = 0; n < 30; n++) {
      book.opened(book.add(`ip ${n}`, at('8.8.8.8', 2000 + n), ['a'])!, inbound('8.8.8.8'), NOW)
      book.opened(book.add(`group ${n}`, at(`9.9.${n}.1`), ['a'])!, inbound(`9.9.${n}.1`), NOW)
    }
    const held = (name: string) => book.held.filter(({ id }) => id.startsWith(name)).length
    assert.deepEqual([held('ip'), held('group')], [4, 16])
    assert.equal(book.engaged.length, 0)
    assert.equal(book.available.length, 0, 'none of them is dialled')
    book.closed(book.get('ip 0')!, NOW, Math.random)
    book.opened(book.get('ip 29')!, inbound('8.8.8.8'), NOW)
    assert.equal(held('ip'), 4)
  })

  it('goes by where a peer is connected, not by where it is said to be', () => {
    const book = new KeeperBook()
    const liar = book.add('liar', [...at('8.8.8.8'), ...at('9.9.9.9'), ...at('7.7.7.7')], ['a'])!
    assert.equal(liar.groups.size, 3)
    book.opened(liar, outbound(liar), NOW)
    assert.deepEqual([...liar.groups], ['8.8/16'])
    book.add('liar', [...at('6.6.6.6')], ['a'])
    assert.deepEqual([...liar.groups], ['8.8/16'])
    assert.equal(liar.addresses[0]!.text, at('8.8.8.8')[0]!.text, 'where it worked stays first')
  })

  describe('hears an origin as a voice', () => {
    const planOf = (book: KeeperBook, now: number) =>
      planDials({
        target: 6,
        engaged: book.engaged,
        available: book.available,
        now,
        settled: true,
        random: Math.random,
        dialsAt: (ip) => book.dialsAt(ip),
        isVoice: (origin) => book.isVoice(origin),
        wantsFeeler: (origin) => book.wantsFeeler(origin, now),
      }).map(({ id }) => book.get(id)!)

    /** Dials as a keeper does until there is none to dial, or for so long. */
    function run(book: KeeperBook, isAlive: (id: string) => boolean, from: number, ms: number): void {
      for (let now = from; now < from + ms; now += 1000) {
        book.lasted(now)
        for (const entry of planOf(book, now)) {
          if (isAlive(entry.id)) {
            book.opened(entry, outbound(entry), now)
          } else {
            book.failed(entry, now, () => 0.5)
          }
        }
      }
    }

    const connected = (book: KeeperBook, name: string) => book.engaged.filter(({ id }) => id.startsWith(name)).length
    const isHonest = (id: string) => id.startsWith('honest')

    for (const [what, dead] of [
      ['400 dead peers', 400],
      ['one dead record', 1],
    ] as const) {
      it(`until all of its peers failed: ${what} leave no place empty`, () => {
        const book = bookOf(12)
        for (let n = 0; n < dead; n++) {
          book.add(`dead ${n}`, at(`${100 + (n % 50)}.${n >> 5}.0.1`), ['liar'])
        }
        assert.equal(book.isVoice('liar'), true)
        run(book, isHonest, NOW, 15_000)
        assert.equal(connected(book, 'honest'), 6)
        assert.equal(book.isVoice('liar'), false)
      })
    }

    it('again when one of its peers answers and stays', () => {
      const book = new KeeperBook()
      for (let n = 0; n < 12; n++) {
        book.add(`planted ${n}`, at(`${20 + n}.1.0.1`), ['liar'])
        book.add(`honest ${n}`, at(`${60 + n}.1.0.1`), ['a'])
      }
      run(book, (id) => id.startsWith('planted'), NOW, 60_000)
      assert.equal(connected(book, 'planted'), 6, 'the honest peers are away')
      run(book, () => true, NOW + 60_000, FEELER_MS + SHORT_MS + 2000)
      assert.ok(connected(book, 'honest') >= 2, `${connected(book, 'honest')} are back`)
    })

    it('whatever failed while the node had no connection, which may be its own doing', () => {
      const book = bookOf(12)
      book.add('other', at('150.1.0.1'), ['b'])
      run(book, () => false, NOW, 60_000)
      assert.ok(book.isVoice('a') && book.isVoice('b'))
      run(book, isHonest, NOW + 600_000, 15_000)
      assert.equal(book.isVoice('b'), false)
      for (const entry of book.engaged) {
        book.closed(entry, NOW + 700_000, Math.random)
      }
      assert.equal(book.isVoice('b'), true)
    })
  })
})
