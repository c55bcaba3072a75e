// Reads settings from flags, variables and the config file, and merges them with the defaults.

import { readFileSync, statSync } from 'node:fs'
import { didYouMean } from '../../base/did-you-mean.ts'
import { remoteText } from '../../base/remote-text.ts'
import {
  type Config,
  ENVIRONMENT_PREFIX,
  MOVED_DEFAULTS,
  type MovedDefault,
  SETTING_KEYS,
  type SettingKey,
  settingName,
  settingOf,
  settingVariable,
} from './settings.ts'

/** The variable that names the config file, as `--config` does. */
export const CONFIG_VARIABLE = `${ENVIRONMENT_PREFIX}CONFIG`

const DEFAULT = 'default'

/** A config file is a page of text; this keeps a wrong path (a disk image, a log) from being read whole. */
const MAX_CONFIG_FILE_BYTES = 1024 * 1024

export interface ConfigSources {
  /** What was typed, by setting; each occurrence of a flag is one text. Wins over the others. */
  readonly flags: ReadonlyMap<SettingKey, readonly string[]>
  /** The process's environment; a variable wins over the file. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The path that was typed as `--config`. Default: what {@link CONFIG_VARIABLE} says, or no file. */
  readonly file?: string | undefined
}

export interface ResolvedConfig {
  readonly config: Config
  /**
   * Where each value comes from: `--listen`, `BOOTSTRAP_PEER_LISTEN`, the path of the file, or `default`. For a default
   * that another setting moved, where that setting comes from.
   */
  readonly origins: Readonly<Record<SettingKey, string>>
}

/** A setting has an invalid value. The message names it, its source, its value and an example. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Merges flags, environment, config file and defaults into one config, in this order. Throws {@link ConfigError}. */
export function resolveConfig({ flags, env, file = env[CONFIG_VARIABLE] }: ConfigSources): ResolvedConfig {
  const variables = withoutServiceLinks(env)
  refuseUnknownVariables(variables)
  const fromFile = file === undefined ? {} : readConfigFile(file)
  const found = SETTING_KEYS.map((key) => [key, findValue(key, flags, variables, fromFile, file)] as const)
  const given: ResolvedConfig = {
    config: Object.fromEntries(found.map(([key, { value }]) => [key, value])) as Config,
    origins: Object.fromEntries(found.map(([key, { origin }]) => [key, origin])) as Record<SettingKey, string>,
  }
  const resolved = moveDefaults(given)
  refuseSecondPort(resolved)
  return resolved
}

function moveDefaults({ config, origins }: ResolvedConfig): ResolvedConfig {
  const moved = (Object.entries(MOVED_DEFAULTS) as Array<[SettingKey, MovedDefault<SettingKey>]>).filter(
    ([key, { by }]) => origins[key] === DEFAULT && origins[by] !== DEFAULT,
  )
  return {
    config: { ...config, ...Object.fromEntries(moved.map(([key, { to }]) => [key, to(config)])) },
    origins: { ...origins, ...Object.fromEntries(moved.map(([key, { by }]) => [key, origins[by]])) },
  }
}

/** Two different ports are ambiguous, and peers do not find a node on a port that they do not expect. */
function refuseSecondPort({ config: { port, listen }, origins }: ResolvedConfig): void {
  const other = port === undefined ? undefined : listen.find((address) => !address.endsWith(`/tcp/${port}`))
  if (other !== undefined) {
    throw new ConfigError(
      `port ${port} (from ${origins.port}) and listen ${other} (from ${origins.listen}) name different ports; ` +
        'leave one of the two out',
    )
  }
}

function findValue(
  key: SettingKey,
  flags: ConfigSources['flags'],
  env: ConfigSources['env'],
  fromFile: Readonly<Record<string, unknown>>,
  file: string | undefined,
): { value: unknown; origin: string } {
  const { kind, default: fallback, example } = settingOf(key)
  const name = settingName(key)
  const variable = settingVariable(key)
  const typed = flags.get(key)
  const inEnvironment = env[variable]

  if (typed !== undefined) {
    const place = typed.map((text) => `--${name} ${text}`).join(' ')
    return { value: accept(key, kind.fromTexts(typed), place, `--${name} ${example}`), origin: `--${name}` }
  }
  if (inEnvironment !== undefined) {
    const texts = kind.repeatable ? splitList(inEnvironment) : [inEnvironment]
    const value = accept(key, kind.fromTexts(texts), `${variable}=${inEnvironment}`, `${variable}=${example}`)
    return { value, origin: variable }
  }
  if (file !== undefined && Object.hasOwn(fromFile, name)) {
    const place = `${file}: "${name}": ${JSON.stringify(fromFile[name])}`
    const value = accept(key, fromFile[name], place, `"${name}": ${JSON.stringify(kind.fromTexts([example]))}`)
    return { value, origin: file }
  }
  return { value: fallback, origin: DEFAULT }
}

function accept(key: SettingKey, json: unknown, place: string, example: string): unknown {
  const result = settingOf(key).kind.read(json)
  if ('fault' in result) {
    throw new ConfigError(`${shorten(place)} ${result.fault}; for example: ${example}`)
  }
  return result.value
}

/** Ignores empty items, and reads an empty variable as an empty list: compose and unit files cannot always leave one out. */
function splitList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '')
}

function readConfigFile(file: string): Readonly<Record<string, unknown>> {
  const json = parseFile(file)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ConfigError(`${file} holds no JSON object; for example: {"log-level": "debug"}`)
  }
  const names = SETTING_KEYS.map(settingName)
  const unknown = Object.keys(json).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new ConfigError(
      `${file}: unknown key ${shorten(JSON.stringify(unknown))}${suggest(unknown, names, (name) => `"${name}"`)}`,
    )
  }
  return json as Record<string, unknown>
}

function parseFile(file: string): unknown {
  let text: string
  try {
    if (statSync(file).size > MAX_CONFIG_FILE_BYTES) {
      throw new ConfigError(`${file} is too long for a config file; name the right one: --config <file>`)
    }
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof ConfigError) {
      throw error
    }
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(`can't read the config file ${file} (${code}); it is named by --config or ${CONFIG_VARIABLE}`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`${file} is not JSON: ${remoteText((error as Error).message)}`)
  }
}

/**
 * Kubernetes gives every container variables about every Service of its namespace, and one named `bootstrap-peer` has
 * our prefix: `BOOTSTRAP_PEER_PORT=tcp://10.0.0.1:4000`. They are no settings.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function withoutServiceLinks(env: ConfigSources['env']): ConfigSources['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => !isServiceLink(name, value)))
}

function isServiceLink(name: string, value: string | undefined): boolean {
  return SERVICE_LINK.test(name) || (name === settingVariable('port') && /^(tcp|udp|sctp):/.test(value ?? ''))
}

const SERVICE_LINK = new RegExp(`^${ENVIRONMENT_PREFIX}(SERVICE_(HOST|PORT)|PORT_\\d+_(TCP|UDP|SCTP))(_|$)`)

/** Refuses unknown variables: a mistyped one would be a setting that is silently not in force. */
function refuseUnknownVariables(env: ConfigSources['env']): void {
  const known = [CONFIG_VARIABLE, ...SETTING_KEYS.map(settingVariable)]
  const unknown = Object.keys(env).find((name) => name.startsWith(ENVIRONMENT_PREFIX) && !known.includes(name))
  if (unknown !== undefined) {
    throw new ConfigError(`unknown setting in the environment: ${unknown}${suggest(unknown, known, (name) => name)}`)
  }
}

function suggest(word: string, known: readonly string[], show: (name: string) => string): string {
  const name = didYouMean(word, known)
  return name === undefined ? `; the settings are in: bootstrap-peer start --help` : `; did you mean ${show(name)}?`
}

/** Long enough to recognise a value, short enough for a line. */
function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
