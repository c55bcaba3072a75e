import { type GuardService, guardOf } from '../host/guard/guard-service.ts'
import { LoopShare } from '../host/guard/loop-share.ts'
import type { Protection } from '../host/switches.ts'

/**
 * How answers wait for their share of the event loop: with what sockets bring in, where the node is guarded, so that both
 * together keep to one share. By themselves in a node without the guard; not at all where that is disabled. It is decided
 * at the first call: libp2p makes services in the order of their names in the configuration.
 */
export function takesShare(
  components: { readonly guard?: unknown },
  disabled: readonly Protection[],
): () => Promise<void> {
  let take: GuardService['takeShare'] | undefined
  return () => {
    take ??= guardOf(components)?.takeShare ?? (disabled.includes('loopShare') ? async () => {} : ownShare())
    return take()
  }
}

function ownShare(): () => Promise<void> {
  const share = new LoopShare(() => performance.now())
  return () => share.turn()
}
