import { seededRandom } from '../support/random.ts'
import { tallyAddresses } from '../support/record-addresses.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'

const NAME = 'record addresses'

/**
 * Addresses in signed records that look like a peer's own and lead elsewhere: those that would be handed out are read as
 * Go, Rust and JavaScript read them. `interop/cells/record-addresses.ts` has the libraries themselves dial some.
 */
export async function recordAddresses(count: number, seed: number): Promise<Figure[]> {
  const { written, handedOut, shapes, elsewhere } = tallyAddresses(count, seededRandom(seed))
  for (const each of elsewhere.slice(0, 5)) {
    console.error(`${NAME}: ${each}`)
  }
  return [
    shown(NAME, 'addresses written', written),
    atLeast(NAME, 'of them handed out', handedOut, written / 40),
    atLeast(NAME, 'shapes that are handed out', shapes.size, 18),
    atMost(NAME, 'dialled anywhere but at an IP that holds', elsewhere.length, 0),
  ]
}
