import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

it('a dial for which this machine has no socket says nothing about the peer', async () => {
  const program = fileURLToPath(new URL('out-of-sockets.ts', import.meta.url))
  const limited = ['-c', 'ulimit -n 256; exec "$0" "$1"', process.execPath, program]
  const { stdout } = await promisify(execFile)('sh', limited)
  assert.deepEqual(JSON.parse(stdout), { fault: 'dial_busy' })
})
