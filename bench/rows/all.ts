import type { Measurement, Scale } from '../measure.ts'
import { besideRust } from './beside-rust.ts'
import { coldJoin, coldJoinUnoptimized, coldJoinWithIdentify } from './cold-join.ts'
import { firstRegistration, reProof } from './dial-backs.ts'
import { rssAfter } from './identities.ts'
import { joinsByKnown } from './joins-by-known.ts'
import { sizeOf } from './size.ts'
import { stallWith } from './stall.ts'
import { warmAsk, warmRenewal } from './warm.ts'
import { wire } from './wire.ts'

/** Everything that is measured, in the order of the table. */
export function measurements(scale: Scale, { unoptimized }: { readonly unoptimized: boolean }): readonly Measurement[] {
  const { known } = scale
  return [
    coldJoin,
    ...(unoptimized ? [coldJoinUnoptimized] : []),
    coldJoinWithIdentify,
    warmAsk,
    warmRenewal,
    wire,
    firstRegistration,
    reProof,
    ...known.map(joinsByKnown),
    besideRust(scale),
    ...known.map(sizeOf),
    ...known.map(stallWith),
    rssAfter(scale),
  ]
}
