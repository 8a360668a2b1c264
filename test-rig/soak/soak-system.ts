import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LinkForwarder } from './link-forwarder.ts'
import { NumberedPublisher } from './numbered-publisher.ts'
import { brokerTopic, SoakAgent } from './soak-agent.ts'
import { SoakBroker } from './soak-broker.ts'
import { SoakInstrument } from './soak-instrument.ts'
import { SoakRelay } from './soak-relay.ts'

const messagesPerSec = 10
/** The tokens live longer than the run. */
const spareSec = 3_600

export interface SoakSystemParts {
  readonly relay: SoakRelay
  readonly broker: SoakBroker
  readonly instrument: SoakInstrument
  readonly agent: SoakAgent
  /** Between agent and relay. */
  readonly link: LinkForwarder
}

/** Everything that runs in a soak but the viewers. Owns all processes; they are gone when it is disposed. */
export class SoakSystem implements AsyncDisposable, SoakSystemParts {
  readonly relay: SoakRelay
  readonly broker: SoakBroker
  readonly instrument: SoakInstrument
  readonly agent: SoakAgent
  readonly link: LinkForwarder
  readonly #stack: AsyncDisposableStack

  private constructor(parts: SoakSystemParts, stack: AsyncDisposableStack) {
    this.relay = parts.relay
    this.broker = parts.broker
    this.instrument = parts.instrument
    this.agent = parts.agent
    this.link = parts.link
    this.#stack = stack
  }

  /**
   * @param programs the files of relay and agent.
   * @throws {UnavailableError} for what cannot be started on this machine, such as socat or mosquitto.
   */
  static async start(
    programs: { readonly relay: string; readonly agent: string },
    { forMs }: { readonly forMs: number },
  ): Promise<SoakSystem> {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'relay-soak-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const tokenLifetimeSec = Math.ceil(forMs / 1000) + spareSec
    const forwarder = stack.use(new LinkForwarder())
    const relay = stack.use(
      await SoakRelay.start({ program: programs.relay, folder, forwarder, tokenLifetimeSec }),
    )
    const broker = stack.use(await SoakBroker.start(folder))
    stack.use(
      await NumberedPublisher.start({ port: broker.port, topic: brokerTopic, perSec: messagesPerSec }),
    )
    const instrument = stack.use(await SoakInstrument.start(folder))
    const cablePath = instrument.cable.hostPath
    const agent = stack.use(
      await SoakAgent.start({ program: programs.agent, folder, relay, broker, cablePath }),
    )
    return new SoakSystem({ relay, broker, instrument, agent, link: forwarder }, stack.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Orders and last words get through.
    this.link.set({ kind: 'open' })
    await this.#stack.disposeAsync()
  }
}
