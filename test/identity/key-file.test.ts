import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  createIdentity,
  IdentityError,
  type IdentityFault,
  loadIdentity,
  loadOrCreateIdentity,
} from '../../src/identity/key-file.ts'
import { encodeIdentity } from '../../src/identity/key-formats.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

const root = await temporaryFolder({ after })

let folders = 0
/** A path in a folder of its own that does not exist yet. */
const freshPath = () => join(root, String(folders++), 'keys', 'identity.key')

/** A file of its own with this content and mode. */
async function keyFile(content: Uint8Array | string, mode = 0o600): Promise<string> {
  const file = freshPath()
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, content, { mode })
  return file
}

const idOf = (key: PrivateKey) => peerIdFromPrivateKey(key).toString()

async function refusal(promise: Promise<unknown>, code: IdentityFault): Promise<IdentityError> {
  const error = await promise.then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  )
  assert(error instanceof IdentityError, String(error))
  assert.equal(error.code, code, error.message)
  return error
}

describe('a first start', () => {
  it('makes an Ed25519 key as a raw protobuf, in a folder only for its owner', async () => {
    const file = freshPath()
    let announced = ''
    const key = await loadOrCreateIdentity(file, { onCreated: (made) => (announced = idOf(made)) })
    assert.equal(key.type, 'Ed25519')
    assert.equal(announced, idOf(key))
    assert.equal((await stat(file)).mode & 0o7777, 0o600)
    assert.equal((await stat(join(file, '..'))).mode & 0o7777, 0o700)
    assert.deepEqual(new Uint8Array(await readFile(file)), encodeIdentity(key, 'protobuf'))
    assert.deepEqual(await readdir(join(file, '..')), ['identity.key'])
  })

  it('leaves the mode at 0600 whatever the umask', async () => {
    for (const umask of ['000', '022', '077', '277']) {
      const file = freshPath()
      await mkdir(join(file, '..', '..'), { recursive: true })
      const source = `
        process.umask(0o${umask})
        const { createIdentity } = await import(${JSON.stringify(import.meta.resolve('../../src/identity/key-file.ts'))})
        await createIdentity(${JSON.stringify(file)})`
      await run(process.execPath, ['--input-type=module', '--eval', source])
      assert.equal((await stat(file)).mode & 0o7777, 0o600, umask)
      assert.equal((await stat(join(file, '..'))).mode & 0o7777, 0o700, umask)
    }
  })

  it('gives everyone who starts at the same moment the same key', async () => {
    const file = freshPath()
    let made = 0
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => loadOrCreateIdentity(file, { onCreated: () => made++ })),
    )
    assert.equal(new Set(keys.map(idOf)).size, 1)
    assert.equal(made, 1)
    assert.deepEqual(await readdir(join(file, '..')), ['identity.key'])
  })

  it('leaves the mode of a folder that was there alone', async () => {
    const file = join(root, 'shared-folder', 'identity.key')
    await mkdir(join(file, '..'), { mode: 0o755 })
    await createIdentity(file)
    assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o755)
  })

  it('says what is in the way when it can not write', async () => {
    const file = await keyFile('not a folder')
    const error = await refusal(createIdentity(join(file, 'identity.key')), 'unwritable')
    assert.match(error.message, /^can't create the key .* \(EEXIST\); /)
  })
})

describe('a later start', () => {
  it('has the identity of the first', async () => {
    const file = freshPath()
    const first = await loadOrCreateIdentity(file)
    const second = await loadOrCreateIdentity(file, { onCreated: () => assert.fail('a new identity') })
    assert.equal(idOf(second), idOf(first))
  })

  it('follows a link, as mounted secrets are', async () => {
    const file = freshPath()
    const key = await createIdentity(file)
    await symlink(file, `${file}.link`)
    assert.equal(idOf(await loadIdentity(`${file}.link`)), idOf(key))
  })

  it('does not write through a link that leads nowhere', async () => {
    const file = freshPath()
    await mkdir(join(file, '..'), { recursive: true })
    await symlink(join(root, 'nowhere'), file)
    await refusal(loadOrCreateIdentity(file), 'missing')
    await refusal(createIdentity(file), 'exists')
    assert(!(await readdir(root)).includes('nowhere'))
  })
})

describe('a key that is not usable is refused and left as it is:', () => {
  const seedAndPublic = (key: PrivateKey) => Buffer.from(encodeIdentity(key, 'protobuf'))
  const cases: [
    string,
    IdentityFault,
    RegExp,
    (key: PrivateKey) => Promise<Uint8Array | string> | Uint8Array | string,
  ][] = [
    ['empty', 'empty', /is empty/, () => ''],
    ['text', 'corrupt', /neither a libp2p protobuf, nor/, () => 'hello world!\n'],
    ['too long', 'corrupt', /bytes long, no key is/, () => Buffer.alloc(65_537, 'A')],
    ['half of it', 'corrupt', /does not decode/, (key) => seedAndPublic(key).subarray(0, 34)],
    ['base64 cut', 'corrupt', /not usable/, (key) => Buffer.from(encodeIdentity(key, 'base64')).subarray(0, 50)],
    ['JSON cut', 'corrupt', /not JSON/, (key) => Buffer.from(encodeIdentity(key, 'lodestar')).subarray(0, 50)],
    ['JSON of something else', 'corrupt', /"privKey" is not a base64/, () => '{"listen":[]}'],
    ['PEM of nothing', 'corrupt', /no PKCS#8/, () => '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    ['PEM with a passphrase', 'unsupported', /decrypt it first/, () => '-----BEGIN ENCRYPTED PRIVATE KEY-----\n'],
    ['ECDSA', 'unsupported', /type ECDSA/, async () => encodeIdentity(await generateKeyPair('ECDSA'), 'protobuf')],
  ]
  for (const [name, code, message, content] of cases) {
    it(name, async () => {
      const bytes = Buffer.from(await content(await generateKeyPair('Ed25519')))
      const file = await keyFile(bytes)
      const { mtimeMs } = await stat(file)
      const error = await refusal(loadOrCreateIdentity(file), code)
      assert.match(error.message, message)
      assert(error.message.includes(file))
      assert.deepEqual(await readFile(file), bytes)
      assert.equal((await stat(file)).mtimeMs, mtimeMs)
      assert.deepEqual(await readdir(join(file, '..')), ['identity.key'])
    })
  }

  it('a directory', async () => {
    const file = freshPath()
    await mkdir(file, { recursive: true })
    const error = await refusal(loadOrCreateIdentity(file), 'not_a_file')
    assert.match(error.message, /is a directory/)
  })

  it('a FIFO, without waiting for a writer', { timeout: 10_000 }, async () => {
    const file = freshPath()
    await mkdir(join(file, '..'), { recursive: true })
    await run('mkfifo', ['-m', '600', file])
    await refusal(loadOrCreateIdentity(file), 'not_a_file')
  })

  it('readable by others, unless that is allowed', async () => {
    const key = await generateKeyPair('Ed25519')
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      const file = await keyFile(encodeIdentity(key, 'protobuf'))
      await run('chmod', [mode.toString(8), file])
      const error = await refusal(loadOrCreateIdentity(file), 'loose_mode')
      assert(error.message.includes(`chmod 600 ${file}`), error.message)
      assert.equal((await stat(file)).mode & 0o777, mode)
      assert.equal(idOf(await loadIdentity(file, { allowLooseMode: true })), idOf(key))
    }
  })

  it('never tells what is in it', async () => {
    const key = await generateKeyPair('Ed25519')
    const text = Buffer.from(encodeIdentity(key, 'lodestar')).toString()
    for (const cut of [text.slice(0, -3), text.replace(/"CAES/, '"CAET'), text.slice(1)]) {
      const error = await refusal(loadIdentity(await keyFile(cut)), 'corrupt')
      assert(!error.message.includes(Buffer.from(key.raw).toString('base64').slice(8, 16)), error.message)
      assert.equal(error.cause, undefined)
    }
  })
})
