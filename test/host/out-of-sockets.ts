// Dials when the process has no file descriptor left, and prints the answer. `dial-back.test.ts` runs it with a low limit.

import { openSync } from 'node:fs'
import { createLibp2p } from 'libp2p'
import { type DialBackComponents, dialBack } from '../../src/host/dial-back.ts'

const node = await createLibp2p({ start: false })
const { components } = node as unknown as { readonly components: DialBackComponents }
const dial = dialBack(components, { disabled: [] })
try {
  for (;;) {
    openSync('/dev/null', 'r')
  }
} catch {}
process.stdout.write(JSON.stringify(await dial('/ip4/127.0.0.1/tcp/9')))
process.exit()
