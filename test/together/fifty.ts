import { TARGET } from '../../src/client/keeper-link.ts'
import type { Figure } from '../hostile/report.ts'
import { deadBootstrap } from '../support/bootstraps.ts'
import { withScope } from '../support/last-first.ts'
import { startReadmeNode } from '../support/readme-node.ts'
import { Census } from './census.ts'
import { startCountedBootstrap } from './counted-bootstrap.ts'
import { askedOf, gathering } from './gathering.ts'

const COUNT = 50
const WITHIN_MS = 30_000

/** So many bootstraps that live, and that do not. */
export interface Layout {
  readonly alive: number
  readonly dead: number
}

/** Fifty nodes in this process, started at once with every default there is. */
export async function fifty(name: string, { alive, dead }: Layout): Promise<Figure[]> {
  return await withScope(async (scope) => {
    const bootstraps = await Promise.all(Array.from({ length: alive }, () => startCountedBootstrap(scope)))
    const closed = await Promise.all(Array.from({ length: dead }, deadBootstrap))
    const addresses = [...closed, ...bootstraps.map(({ address }) => address)]
    const census = new Census(TARGET)
    const began = performance.now()
    const nodes = await Promise.all(Array.from({ length: COUNT }, () => startReadmeNode({ bootstraps: addresses })))
    scope.after(() => Promise.all(nodes.map((node) => node.stop())))
    for (const node of nodes) {
      census.watch(node, began)
    }
    const gathered = await gathering({ name, census, count: COUNT, all: WITHIN_MS, patience: 4 * WITHIN_MS, began })
    return [...gathered, ...(await askedOf(name, bootstraps))]
  })
}
