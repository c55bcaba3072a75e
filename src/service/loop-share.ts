import { type GuardService, guardOf } from '../host/guard/guard-service.ts'
import { networksOf } from '../host/guard/guarded-slot.ts'
import { LoopShare } from '../host/guard/loop-share.ts'
import type { Protection } from '../host/switches.ts'

/**
 * Returns how answers wait for their share of the event loop. In a guarded node inbound bytes and answers have one share
 * together; without the guard, answers have their own; where `loopShare` is disabled, they do not wait. It is decided at the
 * first call, because libp2p constructs the services in the order of the configuration, and the guard may come later.
 */
export function takesShare(components: { readonly guard?: unknown }, disabled: readonly Protection[]): TakeShare {
  let take: TakeShare | undefined
  return (caller) => {
    take ??= guardOf(components)?.takeShare ?? (disabled.includes('loopShare') ? async () => {} : ownShare())
    return take(caller)
  }
}

type TakeShare = GuardService['takeShare']

function ownShare(): TakeShare {
  const share = new LoopShare(() => performance.now())
  return ({ ip, scope }) => share.turn(networksOf(ip, scope))
}
