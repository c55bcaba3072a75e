import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { it } from 'node:test'
import { beforeAbort } from '../../src/base/before-abort.ts'

it('a promise that settles before the signal is what it is, and nothing listens any more', async () => {
  const { signal } = new AbortController()
  assert.equal(await beforeAbort(Promise.resolve(1), signal), 1)
  await assert.rejects(beforeAbort(Promise.reject(new Error('no')), signal), /^Error: no$/)
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
})

it('a signal that fires first, or has fired, makes it undefined', async () => {
  const controller = new AbortController()
  const waiting = beforeAbort(new Promise(() => {}), controller.signal)
  controller.abort()
  assert.equal(await waiting, undefined)
  assert.equal(await beforeAbort(Promise.resolve(1), controller.signal), undefined)
})
