import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONNECTION_RATES, ConnectionRates, STRIKE_TURNS } from '../../../src/host/guard/connection-rates.ts'
import { parseIp, scopeOf } from '../../../src/peer/ip.ts'

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

  it('is that of the IPv4 address inside for a caller that 6to4, Teredo or NAT64 translates', () => {
    const rates = new ConnectionRates()
    let all = admitted(rates, '8.8.8.8', 0, 100)
    for (const text of ['2002:808:808::1', '2001:0:4136:e378:8000:63bf:f7f7:f7f7', '64:ff9b::808:808']) {
      while (rates.admits(at(text), scopeOf(at(text)), 0)) {
        all++
      }
    }
    assert.equal(all, ip.burst)
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
