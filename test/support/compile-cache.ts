import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Keeps compiled modules on disk. `npm test` imports this file in each of its processes, and what they spawn inherits the
 * folder: 129 test files and some 300 commands load the same modules, which is half of their CPU time otherwise.
 */
const { directory } = enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)))
if (directory !== undefined) {
  process.env.NODE_COMPILE_CACHE = directory
}
