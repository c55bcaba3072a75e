/** What outlives a failed test ends with this; a test's context is one. */
export interface Scope {
  after(cleanUp: () => unknown): void
}

/** A scope within a scope in which what was started last is stopped first, one after the other. `t.after` has it the other way round. */
export function lastFirst(outer: Scope): Scope {
  const stack = new AsyncDisposableStack()
  outer.after(() => stack.disposeAsync())
  return {
    after(cleanUp) {
      stack.defer(async () => void (await cleanUp()))
    },
  }
}
