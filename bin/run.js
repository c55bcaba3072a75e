import { existsSync, readFileSync } from 'node:fs'

// In Node 22 node:sqlite, which locks the list, is experimental and says so on stderr. That is for its developers, not for
// those who run a command. Other warnings stand.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  const type = warning.name ?? rest[0]?.type ?? rest[0]
  if (type !== 'ExperimentalWarning') {
    emitWarning(warning, ...rest)
  }
}

// Node runs TypeScript as it is, but not inside node_modules: the published package has only dist.
const source = new URL('../src/cli/main.ts', import.meta.url)
const built = new URL('../dist/cli/main.js', import.meta.url)
const { main } = await import(existsSync(source) ? source.href : built.href)

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
process.exit(await main(process.argv.slice(2), version))
