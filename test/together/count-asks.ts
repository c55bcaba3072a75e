/**
 * Has a bootstrap write down who asks it: `node --import …/count-asks.ts bin/bootstrap-peer.js start`, with the file's
 * name in {@link ASKS_FILE}. It changes nothing else. `ask-log.ts` reads the file.
 */
import { openSync, writeSync } from 'node:fs'
import type { Caller } from '../../src/peer/caller.ts'
import { Listing } from '../../src/point/listing.ts'
import { RequestLimits } from '../../src/policy/request-limits.ts'

const file = openSync(process.env.ASKS_FILE!, 'a')
const note = (what: 'request' | 'no-list', { peerId }: Caller) =>
  writeSync(file, `${Math.round(performance.now())} ${what} ${peerId}\n`)

// Every request passes here, those that are refused for their rate too.
const next = RequestLimits.prototype.next
RequestLimits.prototype.next = function (caller, now) {
  note('request', caller)
  return next.call(this, caller, now)
}

// And every answer here. One without peers was for a registration only.
const listed = Listing.prototype.for
Listing.prototype.for = function (caller) {
  const handout = listed.call(this, caller)
  const addresses = handout.addresses.bind(handout)
  handout.addresses = (query) => {
    if (query.limit === 0) {
      note('no-list', caller)
    }
    return addresses(query)
  }
  return handout
}
