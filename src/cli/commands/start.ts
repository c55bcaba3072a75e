// The command `start`: runs the node until a signal stops it.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { remoteText } from '../../base/remote-text.ts'
import { loadOrCreateIdentity } from '../../identity/key-file.ts'
import { type BootstrapPeer, createBootstrapPeer, type ListEdit, type StoreState } from '../../node.ts'
import type { Invocation } from '../command.ts'
import { type Config, configJson, SETTING_KEYS, settingName } from '../config/settings.ts'
import { type ResolvedConfig, resolveConfig } from '../config/sources.ts'
import { prepareDataDirectory } from '../data-directory.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { componentLoggers, createLogger, isTerminal } from '../logger.ts'
import { stopSignal } from '../stop-signals.ts'
import { summaries } from '../summary.ts'
import { editReport } from './list-edit.ts'
import { startFailure } from './start-failure.ts'

/** The code of a store that writes no snapshot because the operator's edit is not to be overwritten. */
const EDIT = 'EDIT'

/** The code of a store whose lock file was deleted, so that another process could take its files. */
const ELOCKED = 'ELOCKED'
const LOCK_LOST = 'the lock file was deleted, and another process has the list now; stop one of the two'

/** How long a stop may take, ms: the promise is an exit within 5 s; the rest is for the process itself. */
const STOP_DEADLINE_MS = 4500

export async function run({ flags, options }: Invocation): Promise<ExitCode> {
  const resolved = resolveConfig({ flags, env: process.env, file: options.get('config') })
  if (options.has('print-config')) {
    printConfig(resolved)
    return EXIT.ok
  }
  await prepareDataDirectory(resolved)
  const { config } = resolved
  const log = createLogger(config.logLevel)
  exitOnException(log)
  const signalled = stopSignal()

  const node = await createNode(config, log, { acceptEdit: options.has('accept-list') })
  const started = node.start()
  reloadOnHangup(node, { started, signalled }, config, log)
  let signal: NodeJS.Signals | undefined
  try {
    signal = await Promise.race([started.then(() => undefined), signalled])
  } catch (error) {
    throw startFailure(error, config.file)
  }
  if (signal === undefined) {
    announce(node, config, log)
    const summing = sumUp(node, config.summaryInterval, log)
    signal = await signalled
    clearInterval(summing)
  }
  log.info({ signal }, 'stopping')
  return stop(node, started, log)
}

/** The only such handler: the library sets none, so that it does not disturb those of a host application. */
function exitOnException(log: Logger): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unexpected error, exiting; every answered registration is on disk')
    process.exit(EXIT.unexpected)
  })
}

async function createNode(
  config: Config,
  log: Logger,
  { acceptEdit }: { readonly acceptEdit: boolean },
): Promise<BootstrapPeer> {
  const privateKey = await loadOrCreateIdentity(config.key, {
    allowLooseMode: config.allowLooseKeyMode,
    onCreated: () =>
      log.warn({ key: config.key }, 'created a new identity, because there was none. Keep a backup of it'),
  })
  for (const name of [...config.disableProtection, ...config.disableOptimization]) {
    log.warn({ name }, 'a protection or optimization is disabled')
  }
  const node = createBootstrapPeer({
    privateKey,
    listen: config.listen,
    announce: config.announce,
    file: config.file,
    acceptEdit,
    ...(config.network.length > 0 ? { networks: config.network } : {}),
    maxPeers: config.maxPeers,
    maxPeersPerNetwork: config.maxPeersPerNetwork,
    maxNetworks: config.maxNetworks,
    deny: config.deny,
    allow: config.allow,
    allowForeignIp: config.allowForeignIp,
    allowPrivateIp: config.allowPrivateIp,
    unlimitedNeighbours: config.unlimitedNeighbours,
    maxConnections: config.maxConnections,
    disable: { protections: config.disableProtection, optimizations: config.disableOptimization },
    siblings: config.sibling,
    listing: config.listing,
    reproveInterval: config.reproveInterval,
    proofCpuPercent: config.proofCpuPercent,
    rendezvous: config.rendezvous,
    ...(config.legacyTcp === 0 ? {} : { legacyTcp: config.legacyTcp }),
    logger: componentLoggers(log),
  })
  node.addEventListener('warning', ({ detail }) => log.warn(remoteText(detail.message, 500)))
  node.addEventListener('edited', ({ detail }) => logEdit(detail, config, log))
  node.addEventListener('store', storeLog(log))
  return node
}

/** Logs failures of the disk. An edit that waits for the operator has a line of its own. */
function storeLog(log: Logger): (event: CustomEvent<StoreState>) => void {
  let failure: string | undefined
  return ({ detail }) => {
    if (detail.status === 'failing') {
      failure = detail.code
      if (failure !== EDIT) {
        const fault = failure === ELOCKED ? LOCK_LOST : 'cannot write to disk'
        log.error({ code: failure }, `${fault}: still serving, new registrations are refused`)
      }
    } else {
      log.info(failure === EDIT ? 'the list is written again' : 'writes to disk again')
    }
  }
}

/** At every log level but `silent`: a supervisor waits for this line, and an operator needs the addresses. */
function announce(node: BootstrapPeer, config: Config, log: Logger): void {
  if (config.logLevel === 'silent') {
    return
  }
  const [peerId, { multiaddrs }] = [node.peerId.toString(), node]
  if (isTerminal()) {
    const lines = [
      `PeerId ${peerId}`,
      'Reachable at, for others to put in their configuration:',
      ...multiaddrs.map((a) => `  ${a}`),
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    log.child({}, { level: 'info' }).info('ready')
  } else {
    log.child({}, { level: 'info' }).info({ peerId, multiaddrs }, 'ready')
  }
}

interface Life {
  readonly started: Promise<void>
  readonly signalled: Promise<NodeJS.Signals>
}

/** A node that is stopping, or has not started, cannot merge an edit. */
function reloadOnHangup(node: BootstrapPeer, { started, signalled }: Life, config: Config, log: Logger): void {
  let isOver = false
  const end = () => {
    isOver = true
  }
  started.catch(end)
  void signalled.then(end)
  process.on('SIGHUP', () => {
    if (isOver) {
      return
    }
    const reloaded = started.then(() => node.reload())
    reloaded.then(
      (edit) => logEdit(edit, config, log),
      (error: unknown) => log.error({ err: error }, 'could not merge the edited list'),
    )
  })
}

function logEdit(edit: ListEdit, { file }: Config, log: Logger): void {
  const { level, fields, message } = editReport(edit, file)
  log[level](fields, message)
}

function sumUp(node: BootstrapPeer, interval: number, log: Logger): NodeJS.Timeout {
  const summary = summaries()
  return setInterval(() => log.info(summary(node.status), 'summary'), interval)
}

async function stop(node: BootstrapPeer, started: Promise<void>, log: Logger): Promise<ExitCode> {
  // A signal during the start stops it after that; a start that fails then has nothing to stop.
  const stopped = started.catch(() => {}).then(() => node.stop())
  const inTime = await Promise.race([stopped.then(() => true), delay(STOP_DEADLINE_MS, false)])
  if (!inTime) {
    log.error(`not stopped after ${STOP_DEADLINE_MS} ms, exiting; every answered registration is on disk`)
    return EXIT.unexpected
  }
  log.info('stopped')
  return EXIT.ok
}

function printConfig({ config, origins }: ResolvedConfig): void {
  process.stdout.write(`${JSON.stringify(configJson(config), null, 2)}\n`)
  // On stderr, so that stdout is a config file.
  const lines = SETTING_KEYS.map((key) => `${settingName(key).padEnd(22)}from ${origins[key]}`)
  process.stderr.write(`${lines.join('\n')}\n`)
}
