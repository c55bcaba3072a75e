import { parseArguments } from './arguments.ts'
import { CommandError, EXIT, type ExitCode } from './exit-codes.ts'
import { commandHelp, overview } from './help.ts'

/** Runs a command line. Resolves with an exit code. An error that the user can correct is one line on stderr. */
export async function main(argv: readonly string[], version: string): Promise<ExitCode> {
  try {
    const request = parseArguments(argv)
    switch (request.kind) {
      case 'version':
        process.stdout.write(`${version}\n`)
        return EXIT.ok
      case 'help':
        process.stdout.write(request.command === undefined ? overview() : commandHelp(request.command))
        return EXIT.ok
      case 'run': {
        const { run } = await request.invocation.command.load()
        return await run(request.invocation)
      }
    }
  } catch (error) {
    const exitCode = exitCodeOf(error)
    const text = exitCode === EXIT.unexpected && error instanceof Error ? error.stack : (error as Error).message
    process.stderr.write(`bootstrap-peer: ${text ?? String(error)}\n`)
    return exitCode
  }
}

/** Matched by name, so that a mistyped flag does not load the modules of the other errors. */
function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) {
    return error.exitCode
  }
  switch (error instanceof Error ? error.name : undefined) {
    case 'ConfigError':
      return EXIT.usage
    case 'IdentityError':
      return EXIT.identity
    default:
      return EXIT.unexpected
  }
}
