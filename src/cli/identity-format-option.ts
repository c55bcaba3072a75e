// Reads `--format` and `--export`.

import { IDENTITY_FORMATS, type IdentityFormat } from '../identity/key-formats.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** The format that the option of this name asks for, if it was given. */
export function chosenFormat(option: string, options: ReadonlyMap<string, string>): IdentityFormat | undefined {
  const typed = options.get(option)
  const format = IDENTITY_FORMATS.find((name) => name === typed)
  if (typed !== undefined && format === undefined) {
    const known = IDENTITY_FORMATS.join(', ')
    throw new CommandError(EXIT.usage, `--${option} ${typed} is not one of ${known}; for example: --${option} base64`)
  }
  return format
}
