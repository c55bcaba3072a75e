/** Cleans up what outlives a failed test; a test's context is one. */
export interface Scope {
  after(cleanUp: () => unknown): void
}

/** A scope within a scope in which what was started last is stopped first. In a test's own it is the other way round. */
export function lastFirst(outer: Scope): Scope {
  const stack = new AsyncDisposableStack()
  outer.after(() => stack.disposeAsync())
  return scopeOf(stack)
}

/** Runs something in a scope of its own, outside of a test. */
export async function withScope<Value>(run: (scope: Scope) => Promise<Value>): Promise<Value> {
  await using stack = new AsyncDisposableStack()
  return await run(scopeOf(stack))
}

function scopeOf(stack: AsyncDisposableStack): Scope {
  return { after: (cleanUp) => stack.defer(async () => void (await cleanUp())) }
}
