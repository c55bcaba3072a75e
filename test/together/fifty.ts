import { TARGET } from '../../src/client/keeper-init.ts'
import type { Figure } from '../hostile/report.ts'
import { deadBootstrap } from '../support/bootstraps.ts'
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

/** Fifty nodes in this process, with every default there is. */
export async function fifty(name: string, { alive, dead }: Layout): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const scope = { after: (cleanUp: () => unknown) => stack.defer(async () => void (await cleanUp())) }
  const bootstraps = await Promise.all(Array.from({ length: alive }, () => startCountedBootstrap(scope)))
  const dying = await Promise.all(Array.from({ length: dead }, deadBootstrap))
  const addresses = [...dying, ...bootstraps.map(({ address }) => address)]
  const census = new Census(TARGET)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: COUNT }, async () => {
      const node = await startReadmeNode({ bootstraps: addresses })
      scope.after(() => node.stop())
      census.watch(node, began)
    }),
  )
  const init = { name, census, count: COUNT, target: TARGET, within: WITHIN_MS, began }
  return [...(await gathering(init)), ...(await askedOf(name, bootstraps))]
}
