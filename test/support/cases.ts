/** How many cases a model or property test runs: `few` in `npm test`, `all` in `npm run test:models`. */
export function cases(few: number, all: number): number {
  return process.env.TEST_CASES === 'all' ? all : few
}
