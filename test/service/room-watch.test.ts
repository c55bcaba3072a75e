import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guardCounters } from '../../src/host/guard/guard-counters.ts'
import { BootstrapPeer } from '../../src/node.ts'
import { RoomWatch } from '../../src/service/room-watch.ts'
import { emptyStatus } from '../../src/service/status.ts'
import { rawPeer } from '../support/raw-peer.ts'
import { until } from '../support/wait.ts'

const MINUTE = 60_000

/** A watch, and what a minute of newcomers makes it say. */
function watched() {
  const watch = new RoomWatch()
  const counters = guardCounters()
  const status = {
    ...emptyStatus(),
    exchanges: { open: 0, silent: 0, unreadBytes: 0 },
    counters: emptyStatus().counters as Record<string, number>,
    guard: { halfOpen: 0, open: 0, loopWait: { p99: 0, max: 0 }, counters },
  }
  let now = 0
  const see = () => watch.see(status as never, now)
  see()
  const minute = (come: () => void): string | undefined => {
    come()
    now += MINUTE
    return see()
  }
  return { counters, status, minute }
}

describe('newcomers that find no room', () => {
  it('are warned of when they are more than a tenth of a minute, once an hour', () => {
    const { counters, minute } = watched()
    const full = (refused: number) => () => {
      counters.arrived += 100
      counters.refused.table_full += refused
    }
    assert.equal(minute(full(10)), undefined)
    assert.match(minute(full(11)) ?? '', /^no room for 11 of 100 connections within a minute: raise max-connections/)
    for (let i = 0; i < 59; i++) {
      assert.equal(minute(full(50)), undefined)
    }
    assert.match(minute(full(50)) ?? '', /no room for 50 of 100/)
  })

  it('do not count where their own neighbourhood has its share, nor where they are few', () => {
    const { counters, minute } = watched()
    const own = () => {
      counters.arrived += 1000
      counters.refused.group_full += 500
      counters.refused.rate += 400
    }
    assert.equal(minute(own), undefined)
    const few = () => {
      counters.arrived += 9
      counters.refused.half_open_full += 9
    }
    assert.equal(minute(few), undefined)
    const both = () => {
      own()
      counters.refused.half_open_full += 20
    }
    assert.match(minute(both) ?? '', /no room for 20 of 100 connections/)
  })

  it('are exchanges, too, when the places are short', () => {
    const { status, minute } = watched()
    const refused = () => {
      status.counters.requests! += 50
      status.counters.noRoom! += 50
    }
    assert.equal(minute(refused), undefined)
    status.exchanges.open = 4000
    assert.match(minute(refused) ?? '', /no room for 50 of 100 exchanges within a minute/)
  })
})

it('a node that has no room for newcomers says so', async (t) => {
  const clock = { now: 0 }
  const init = { maxConnections: 2, disable: { protections: ['idle'] } } as const
  const bootstrap = new BootstrapPeer(init, { clock: () => clock.now })
  const messages: string[] = []
  bootstrap.addEventListener('warning', ({ detail }) => messages.push(detail.message))
  await bootstrap.start()
  t.after(() => bootstrap.stop())
  const refused = () => bootstrap.status.guard?.counters.refused.table_full ?? 0
  const [target] = bootstrap.multiaddrs
  const callers = await Promise.allSettled(Array.from({ length: 12 }, () => rawPeer(target!)))
  await until(() => refused() === 10, 'ten of twelve are refused')
  const minuteLater = () => {
    clock.now += MINUTE
    return messages.length > 0
  }
  await until(minuteLater, 'it says so')
  assert.match(messages[0]!, /^no room for 10 of 12 connections within a minute/)
  for (const caller of callers) {
    if (caller.status === 'fulfilled') {
      caller.value.hangUp()
    }
  }
})
