import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startFailure } from '../../../src/cli/commands/start-failure.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { StoreLockedError, StoreUnusableError } from '../../../src/store/store.ts'

const systemError = (code: string, message: string) => Object.assign(new Error(`${code}: ${message}`), { code })

/** As libp2p has it: the message holds the stacks of what went wrong at each address. */
function listenError(text: string) {
  const error = new Error(
    `Some configured addresses failed to be listened on:\n\n  /ip4/…: Error: ${text}\n      at Server`,
  )
  error.name = 'UnsupportedListenAddressesError'
  return error
}

const cases: [string, Error, number, RegExp][] = [
  [
    'a taken port',
    listenError('listen EADDRINUSE: address already in use 0.0.0.0:4000'),
    EXIT.listen,
    /^can't listen on 0\.0\.0\.0:4000: another process has this port; .*--port 4001 \(EADDRINUSE\)$/,
  ],
  [
    'a taken IPv6 port',
    listenError('listen EADDRINUSE: address already in use :::4000'),
    EXIT.listen,
    /^can't listen on :::4000: another/,
  ],
  [
    'a port below 1024',
    listenError('listen EACCES: permission denied 0.0.0.0:80'),
    EXIT.listen,
    /^can't listen on 0\.0\.0\.0:80: this user may not use this port/,
  ],
  [
    'an address of another machine',
    listenError('listen EADDRNOTAVAIL: address not available 192.0.2.1:4000'),
    EXIT.listen,
    /^can't listen on 192\.0\.2\.1:4000: this machine has no such/,
  ],
  [
    'no way to listen',
    listenError('who knows'),
    EXIT.listen,
    /^can't listen: Some configured addresses failed to be listened on:$/,
  ],
  [
    'files that another node has',
    new StoreLockedError('another process has them'),
    EXIT.store,
    /^another process has them$/,
  ],
  [
    'a place for no list',
    new StoreUnusableError('x is not a file', { cause: new Error('why') }),
    EXIT.store,
    /^x is not a file$/,
  ],
  [
    'a full disk',
    systemError('ENOSPC', 'no space left on device, write'),
    EXIT.store,
    /^can't use some\/peers\.json: ENOSPC: .*; the disk is full: make room/,
  ],
  ['a read-only disk', systemError('EROFS', 'read-only file system, open'), EXIT.store, /the disk is read-only/],
  [
    'no permission, as a cause',
    new Error('no', { cause: systemError('EACCES', 'permission denied') }),
    EXIT.store,
    /^can't use some\/peers\.json: no; see that this user/,
  ],
]

for (const [name, error, exitCode, message] of cases) {
  it(`a start that fails for ${name} is one line and exit code ${exitCode}`, () => {
    const failure = startFailure(error, 'some/peers.json')
    assert(failure instanceof CommandError)
    assert.equal(failure.exitCode, exitCode)
    assert.match(failure.message, message)
    assert.equal(failure.cause, error)
  })
}

it('a start that fails for a bug is that bug, with its stack', () => {
  const circle = new TypeError('x is not a function')
  circle.cause = circle
  assert.equal(startFailure(circle, 'peers.json'), circle)
  assert.equal(startFailure('a string', 'peers.json'), 'a string')
})
