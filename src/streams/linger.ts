import type { Stream } from '@libp2p/interface'

/** Resets a stream that the peer has not closed after `ms`. libp2p would keep it for as long as the connection lasts. */
export function lingerAtMost(stream: Stream, ms: number): void {
  if (stream.status !== 'open') {
    return
  }
  const timer = setTimeout(() => stream.abort(new Error('the peer did not close its side')), ms)
  timer.unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}
