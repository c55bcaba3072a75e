import type { Stream } from '@libp2p/interface'

/** libp2p keeps a stream until both sides have closed it; a peer that never does would keep it for the connection's life. */
export function lingerAtMost(stream: Stream, ms: number): void {
  if (stream.status !== 'open') {
    return
  }
  const timer = setTimeout(() => stream.abort(new Error('the peer did not close its side')), ms)
  timer.unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}
