import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type BootstrapServiceInit,
  bootstrapService,
  createBootstrapPeer,
  memoryStore,
  withHost,
} from '../../src/index.ts'

const AT = '/ip4/203.0.113.7/tcp/4000/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'

type Cases = ReadonlyArray<readonly [init: object, message: RegExp]>

const SERVICE: Cases = [
  [
    { reproveInterval: 900 },
    /reproveInterval is 900; it is in milliseconds, from 1000 to 604800000: for 900 seconds write reproveInterval: 900000$/,
  ],
  [{ reproveInterval: '15m' }, /reproveInterval is "15m", a string; write a number of milliseconds from 1000/],
  [{ reproveInterval: 604_800_001 }, /reproveInterval is 604800001; write/],
  [{ reproveIntervall: 60_000 }, /there is no option "reproveIntervall"; did you mean reproveInterval\?/],
  [{ peers: 'peers.json' }, /there is no option "peers"; did you mean file\?/],
  [{ clock: Date.now }, /there is no option "clock"/],
  [{ file: '' }, /file is ""; write the path of a file/],
  [{ store: {} }, /store is an object; write a Store, such as memoryStore\(\)/],
  [
    { store: memoryStore(), file: 'peers.json' },
    /file is "peers\.json" and there is a store too.*leave one of them out/,
  ],
  [{ networks: 'mychain' }, /networks is "mychain", a string; write an array of strings: networks: \["mychain"\]/],
  [{ networks: [] }, /networks is empty, so no peer would be served.*leave it out to serve any network/],
  [{ networks: ['x'.repeat(256)] }, /networks\[0\] is .*256 bytes of UTF-8/],
  [{ maxPeers: 0 }, /maxPeers is 0; write a whole number from 1 to 10000000/],
  [{ maxPeersPerNetwork: 1.5 }, /maxPeersPerNetwork is 1\.5; write a whole number/],
  [{ maxNetworks: 1_000_001 }, /maxNetworks is 1000001; write/],
  [{ listing: 'all' }, /listing is "all"; write 'verified' or 'registered'/],
  [{ deny: ['203.0.113.0/33'] }, /deny\[0\] is "203\.0\.113\.0\/33"; write a PeerId \(12D3Koo…\), an IP, or a range/],
  [{ allow: ['12D3KooX'] }, /allow\[0\] is "12D3KooX"; write/],
  [{ allowForeignIp: 'yes' }, /allowForeignIp is "yes"; write true or false/],
  [{ siblings: ['/dns4/boot.example/tcp/4000'] }, /siblings\[0\] is .*write \/ip4\/<ip>\/tcp\/<port>\/p2p\/<PeerId>/],
  [{ siblings: Array(9).fill(AT) }, /siblings has 9 addresses; write 8 at most/],
  [{ rendezvous: 0 }, /rendezvous is 0; write true or false/],
  [{ legacyTcp: 65_536 }, /legacyTcp is 65536; write a whole number from 0 to 65535/],
]

const HOST: Cases = [
  [{ maxConnections: 7 }, /maxConnections is 7; write a whole number from 8 to 100000/],
  [{ maxConnection: 9 }, /there is no option "maxConnection"; did you mean maxConnections\?/],
  [{ deny: ['everyone'] }, /deny\[0\] is "everyone"; write/],
  [{ disable: ['groups'] }, /disable is an array; write an object: disable: \{ protections: \['groups'\] \}/],
  [{ disable: { levers: [] } }, /disable has no "levers"; write protections or optimizations/],
  [{ disable: { protections: 'groups' } }, /disable\.protections is "groups"; write an array of names/],
  [{ disable: { protections: ['group'] } }, /disable\.protections\[0\] is "group"; write 'groups'/],
  [{ disable: { optimizations: ['xyzzy'] } }, /disable\.optimizations\[0\] is "xyzzy"; write 'keyObjects' or /],
]

const NODE: Cases = [
  [{ privateKey: 'secret' }, /privateKey is a string; write a libp2p private key/],
  [{ listen: ['0.0.0.0:4000'] }, /listen\[0\] is "0\.0\.0\.0:4000"; write a multiaddr/],
  [{ listen: '/ip4/0.0.0.0/tcp/4000' }, /listen is .*, a string; write an array of strings: listen: \["\/ip4/],
  [{ announce: ['boot.example'] }, /announce\[0\] is "boot\.example"; write a multiaddr/],
  [{ logger: console }, /logger is .*; write a ComponentLogger/],
  [{ libp2p: {} }, /there is no option "libp2p"/],
]

const MAKERS: ReadonlyArray<readonly [string, (init: object) => unknown, Cases]> = [
  ['bootstrapService', bootstrapService, SERVICE],
  ['withHost', (init) => withHost({}, init), HOST],
  ['createBootstrapPeer', createBootstrapPeer, [...SERVICE, ...HOST, ...NODE]],
]

for (const [module, make, cases] of MAKERS) {
  describe(module, () => {
    for (const [init, message] of cases) {
      it(`refuses ${JSON.stringify(init).slice(0, 60)}`, () => {
        assert.throws(
          () => make(init),
          (err: Error) => {
            assert.ok(err instanceof TypeError)
            assert.match(err.message, new RegExp(`^${module}: `))
            assert.match(err.message, message)
            return true
          },
        )
      })
    }

    it('takes an option that is undefined as left out', () => {
      make({ disable: undefined, deny: undefined })
      make({ disable: { protections: undefined, optimizations: [] } })
    })
  })
}

it('a service that is given to libp2p without being called says so', () => {
  assert.throws(
    () => bootstrapService({ components: {} } as never),
    /without being called; write bootstrapService\(\{ file/,
  )
})

it('everything that can be set is taken', () => {
  const shared = {
    deny: ['203.0.113.0/24', '::1'],
    disable: { protections: ['groups'], optimizations: ['signOnce'] },
  } as const
  const service: BootstrapServiceInit = {
    ...{
      acceptEdit: true,
      networks: ['', 'x'],
      maxPeers: 1,
      maxPeersPerNetwork: 1,
      maxNetworks: 1,
      listing: 'registered',
    },
    ...{ reproveInterval: 1000, allow: [AT.split('/p2p/')[1]!], allowForeignIp: true, allowPrivateIp: true },
    ...{ unlimitedNeighbours: true, siblings: [AT], rendezvous: false, legacyTcp: 0 },
  }
  bootstrapService({ ...service, ...shared, file: 'peers.json' })
  withHost({}, { ...shared, maxConnections: 8 })
  const listen = ['/ip4/127.0.0.1/tcp/0', '/unix/tmp%2Fsocket']
  createBootstrapPeer({
    ...service,
    ...shared,
    store: memoryStore(),
    listen,
    announce: ['/dns4/boot.example/tcp/4000'],
  })
})
