import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONNECTION_RATES, ConnectionRates, STRIKE_TURNS } from '../../../src/host/guard/connection-rates.ts'
import { parseIp } from '../../../src/peer/ip.ts'

const { ip, subnet, privateIp } = CONNECTION_RATES
const at = (text: string) => parseIp(text)!

function admitted(rates: ConnectionRates, text: string, now: number, most: number): number {
  let count = 0
  while (count < most && rates.admits(at(text), text.startsWith('127') ? 'loopback' : 'public', now)) {
    count++
  }
  return count
}

describe('the rate of new connections', () => {
  it('has a burst for an address and a pace after it', () => {
    const rates = new ConnectionRates()
    assert.equal(admitted(rates, '1.2.3.4', 0, 10_000), ip.burst)
    assert.equal(admitted(rates, '1.2.3.4', 1000, 10_000), ip.perSecond)
  })

  it('is one for all addresses of a subnet, and another elsewhere', () => {
    const rates = new ConnectionRates()
    let all = 0
    for (let host = 0; host < 250; host++) {
      all += admitted(rates, `1.2.3.${host}`, 0, 10_000)
    }
    assert.equal(all, subnet.burst)
    assert.equal(admitted(rates, '1.2.4.1', 0, 10_000), ip.burst)
  })

  it('leaves a neighbour its share, however often the others of a subnet connect', () => {
    const rates = new ConnectionRates()
    const hogs = ['1.2.3.1', '1.2.3.2', '1.2.3.3', '1.2.3.4']
    let [asked, served] = [0, 0]
    for (let now = 0; now < 120_000; now += 50) {
      for (const hog of hogs) {
        admitted(rates, hog, now, 5)
      }
      if (now % 1000 === 0) {
        asked++
        served += admitted(rates, '1.2.3.99', now, 1)
      }
    }
    assert.equal(served, asked)
  })

  it('counts a translated address as the IPv4 address inside', () => {
    const rates = new ConnectionRates()
    assert.equal(rates.admits(at('2002:102:304::1'), 'special', 0), true)
    assert.equal(admitted(rates, '1.2.3.4', 0, 10_000), ip.burst - 1)
  })

  it('lets a test network on one machine start at once', () => {
    assert.equal(admitted(new ConnectionRates(), '127.0.0.1', 0, 10_000), privateIp.burst)
  })

  it('is spent by misbehaviour', () => {
    const rates = new ConnectionRates()
    rates.strike(at('1.2.3.4'), 'public', 0)
    assert.equal(admitted(rates, '1.2.3.4', 0, 10_000), ip.burst - STRIKE_TURNS)
    rates.strike(at('127.0.0.1'), 'loopback', 0)
    assert.equal(admitted(rates, '127.0.0.1', 0, 10_000), privateIp.burst)
  })
})
