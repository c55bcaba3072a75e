import { beforeAbort } from '../../base/before-abort.ts'
import type { BootstrapClient } from '../bootstrap-client.ts'
import { asBootstrapError, BootstrapError } from '../bootstrap-error.ts'

/** Errors after which a bootstrap certainly has not taken the registration. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['unreachable', 'wrong_peer', 'unsupported', 'name_not_resolved'])

/** Takes this node back from one bootstrap when it stops, where the bootstrap may list it. */
export class Unregistering {
  /** Whether the bootstrap may list this node: it took a registration, or did not answer one. */
  #mayBeListed = false
  #underWay = 0
  /** Whether a registration was under way when the node stopped: its outcome is unknown. */
  #mayHaveTaken = false

  /** Follows a registration; `hasAnswered` is whether the bootstrap ever answered. Settles as `registering` does. */
  async follow<Answer>(registering: Promise<Answer>, client: Client, hasAnswered: () => boolean): Promise<Answer> {
    this.#underWay++
    try {
      const answer = await registering
      this.#mayBeListed = true
      return answer
    } catch (err) {
      this.#mayBeListed ||= hasAnswered() && !NOT_TAKEN.has(asBootstrapError(err, client.id).code)
      throw err
    } finally {
      this.#underWay--
    }
  }

  /** The node stops, and cancels the registration under way. */
  stopping(): void {
    this.#mayHaveTaken ||= this.#underWay > 0
  }

  /**
   * Unregisters once, until the signal aborts. Never rejects. Resolves with `undefined` when there was nothing to
   * unregister, else with whether the bootstrap has answered, or why not.
   */
  async run(client: Client, signal: AbortSignal): Promise<true | BootstrapError | undefined> {
    const certain = this.#mayBeListed
    if (!certain && !this.#mayHaveTaken) {
      return undefined
    }
    this.#mayBeListed = this.#mayHaveTaken = false
    try {
      const answer = await beforeAbort(client.unregister([], { limit: 0, explain: false, signal }), signal)
      return answer === undefined ? silent(client) : true
    } catch (err) {
      const error = asBootstrapError(err, client.id)
      return !certain && NOT_TAKEN.has(error.code) ? undefined : signal.aborted ? silent(client, error) : error
    }
  }
}

type Client = Pick<BootstrapClient, 'id' | 'unregister'>

function silent({ id }: Client, cause?: BootstrapError): BootstrapError {
  return new BootstrapError('timeout', id, 'it did not answer before this node stopped', { cause })
}
