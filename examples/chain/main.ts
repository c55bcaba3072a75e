import { parseArgs } from 'node:util'
import { ChainNode } from './chain-node.ts'

// node examples/chain/main.ts <bootstrap>... [--cache peers-cache.json] [--produce 2000]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cache: { type: 'string' }, listen: { type: 'string' }, produce: { type: 'string' } },
})
const say = (msg: string, more: object = {}) => console.log(JSON.stringify({ msg, ...more }))

const node = await ChainNode.start({
  discovery: {
    bootstraps: positionals,
    network: 'example-chain',
    ...(values.cache === undefined ? {} : { cache: values.cache }),
    onEvent: ({ type, ...more }) => say(type, more),
  },
  ...(values.listen === undefined ? {} : { listen: values.listen }),
  onBlock: (block) => say('block', block),
})
say('ready', { peerId: node.libp2p.peerId.toString(), multiaddrs: node.libp2p.getMultiaddrs().map(String) })
if (values.produce !== undefined) {
  setInterval(() => node.produce(new Date().toISOString()), Number(values.produce))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await node.stop()
    process.exit(0)
  })
}
