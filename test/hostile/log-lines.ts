import { DATA, FIN, frame, negotiate, RST, rawPeer, SYN } from '../support/raw-peer.ts'
import { HOSTILE_REQUESTS } from './hostile-requests.ts'
import { RawCaller } from './raw-caller.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { Victim } from './victim.ts'

/** Everything hostile into a node that logs all it can: each line of the log stays one JSON object, without controls. */
export async function logLines(): Promise<Figure[]> {
  const victim = await Victim.start({ args: ['--log-level', 'trace'] })
  const caller = new RawCaller(victim.target)
  for (const { bytes } of HOSTILE_REQUESTS.filter(({ bytes }) => bytes.length < 10_000)) {
    await caller.exchange([bytes], 4)
  }
  await caller.hangUp()
  const peer = await rawPeer(victim.target)
  const words = ['/\u001b[2J\u0007', '/x\n{"level":60,"msg":"forged"}', '/\u2028\u2029\u0085', '/\u202egnp.exe']
  for (const [i, word] of words.entries()) {
    peer.send(frame(DATA, SYN, 2 * i + 1, negotiate('/multistream/1.0.0', word)))
    await peer.until(() => peer.closed || peer.received(2 * i + 1).length > 0, 2000)
    peer.send(frame(DATA, FIN | RST, 2 * i + 1))
  }
  peer.hangUp()
  const { brokenLines, lines, stderr } = await victim.stop()
  const components = new Set(lines.map(({ component }) => component))
  const forged = lines.filter(({ msg, level }) => msg === 'forged' || level === 60)
  return [
    atLeast('log lines', 'lines of the log', lines.length, 1000),
    atMost('log lines', 'that are not one JSON object', brokenLines.length, 0),
    atMost('log lines', 'with a control character in a string', lines.filter(hasControl).length, 0),
    atMost('log lines', 'different parts that speak', components.size, 40),
    atMost('log lines', 'forged', forged.length, 0),
    atMost('log lines', 'bytes on stderr', stderr.length, 0),
  ]
}

/** In the text as a terminal would show it; stacks have line feeds of their own. */
function hasControl(line: object): boolean {
  return Object.values(line).some(
    (value) => typeof value === 'string' && /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value.replaceAll('\n', ' ')),
  )
}
