/**
 * Entries by their canonical multiaddr, over all networks and peers. Most addresses have one entry, which then stands in
 * the map without an array around it: with 100,000 peers an array each would be 5 MB more.
 */
export class AddressIndex<Entry extends { readonly address: string }> {
  readonly #byAddress = new Map<string, Entry | readonly Entry[]>()

  at(address: string): readonly Entry[] {
    const found = this.#byAddress.get(address)
    return found === undefined ? [] : listOf(found)
  }

  add(entry: Entry): void {
    const before = this.#byAddress.get(entry.address)
    this.#byAddress.set(entry.address, before === undefined ? entry : [...listOf(before), entry])
  }

  remove(entry: Entry): void {
    const left = this.at(entry.address).filter((each) => each !== entry)
    if (left.length === 0) {
      this.#byAddress.delete(entry.address)
    } else {
      this.#byAddress.set(entry.address, left.length === 1 ? left[0]! : left)
    }
  }
}

function listOf<Entry>(found: Entry | readonly Entry[]): readonly Entry[] {
  return Array.isArray(found) ? found : [found as Entry]
}
