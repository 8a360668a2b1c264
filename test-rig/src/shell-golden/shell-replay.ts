import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '@relay/common/errors'
import { ChildProgram } from '../golden/child-program.ts'
import { FreePorts } from '../golden/free-ports.ts'
import { whenListening } from '../shell/listening-port.ts'
import { shellCommand } from '../shell/shell-command.ts'
import { fillTemplate } from '../golden/template.ts'
import { runQuiet, runRead, runReceive, runSend } from './byte-steps.ts'
import {
  runAccept,
  runClosed,
  runDial,
  runHttp,
  runNoRequest,
  runPing,
  runTake,
  runWs,
} from './connection-steps.ts'
import { runAlive, runExited, runSignal, runStart } from './program-steps.ts'
import type { ShellCase, ShellStep } from './shell-case.ts'
import { ShellWorld } from './shell-world.ts'

const secret = 'a secret of the transcripts'
const startWithinMs = 60_000
const portNames = ['accessPort', 'relayPort', 'sshdPort', 'localPort', 'fakePort'] as const

/**
 * Replays transcripts of the shell side against our programs, expecting what is wanted of ours. Cases that only ask the
 * access API share a relay; every other has one of its own. Dispose of it to end them.
 */
export class ShellReplay implements AsyncDisposable {
  readonly #ports = new FreePorts()
  readonly #shared = new Map<string, Promise<SharedRelay>>()

  /** Runs a case. Each sentence returned is something that went otherwise; empty when nothing did. */
  async run(golden: ShellCase): Promise<readonly string[]> {
    await using world = new ShellWorld(golden.generation, await this.#allotPorts())
    try {
      if (golden.server.env !== undefined) await this.#startServer(golden, world)
    } catch (error) {
      return [describeError(error)]
    }
    for (const [index, step] of golden.steps.entries()) {
      if (step.only === 'reference') continue
      const problems = await runStep(step, world).catch((error: unknown) => [describeError(error)])
      if (problems.length > 0)
        return [`step ${String(index + 1)}: ${JSON.stringify(step).slice(0, 400)}`, ...problems]
    }
    return []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const relays = await Promise.allSettled(this.#shared.values())
    await Promise.all(
      relays.map(async (relay) => {
        if (relay.status === 'fulfilled') await relay.value.program.stop()
      }),
    )
  }

  async #startServer(golden: ShellCase, world: ShellWorld): Promise<void> {
    const isAccessOnly = golden.steps.every(({ do: kind }) => kind === 'http')
    if (!isAccessOnly) {
      world.addProgram('server', await startRelay(golden, world.values))
      return
    }
    const key = JSON.stringify([golden.generation, golden.server.env])
    const shared =
      this.#shared.get(key) ??
      startRelay(golden, world.values).then((program) => ({ program, values: new Map(world.values) }))
    this.#shared.set(key, shared)
    for (const [name, value] of (await shared).values) world.values.set(name, value)
  }

  async #allotPorts(): Promise<Map<string, string>> {
    const values = new Map([['secret', secret]])
    for (const name of portNames) values.set(name, String(await this.#ports.next()))
    const address = (scheme: string, name: string): string =>
      `${scheme}://127.0.0.1:${values.get(name) ?? ''}`
    return new Map([
      ...values,
      ['accessUrl', address('http', 'accessPort')],
      ['relayUrl', address('ws', 'relayPort')],
      ['fakeUrl', address('http', 'fakePort')],
      ['fakeWs', address('ws', 'fakePort')],
    ])
  }
}

interface SharedRelay {
  readonly program: ChildProgram
  readonly values: ReadonlyMap<string, string>
}

async function startRelay(golden: ShellCase, values: ReadonlyMap<string, string>): Promise<ChildProgram> {
  const { env = {}, ready = [] } = golden.server
  const filled = Object.entries(env).map(([name, text]) => [name, fillTemplate(text, values)] as const)
  const program = new ChildProgram(shellCommand(golden.generation, 'relay'), Object.fromEntries(filled))
  try {
    await whenListening(
      program,
      ready.map((port) => Number(fillTemplate(port, values))),
      startWithinMs,
    )
  } catch (error) {
    await program.stop()
    throw error
  }
  return program
}

async function runStep(step: ShellStep, world: ShellWorld): Promise<readonly string[]> {
  switch (step.do) {
    case 'http':
      return runHttp(step, world)
    case 'ws':
      return runWs(step, world)
    case 'send':
      return runSend(step, world)
    case 'receive':
      return runReceive(step, world)
    case 'read':
      return runRead(step, world)
    case 'quiet':
      return runQuiet(step, world)
    case 'closed':
      return runClosed(step, world)
    case 'ping':
      return runPing(step, world)
    case 'accept':
      return runAccept(step, world)
    case 'no-request':
      return runNoRequest(step, world)
    case 'dial':
      return runDial(step, world)
    case 'take':
      return runTake(step, world)
    case 'start':
      return runStart(step, world)
    case 'signal':
      return runSignal(step, world)
    case 'exited':
      return runExited(step, world)
    case 'alive':
      return runAlive(step, world)
    default:
      return runPlainStep(step, world)
  }
}

type PlainStep = Extract<
  ShellStep,
  { readonly do: 'close' | 'cut' | 'pause' | 'resume' | 'mute' | 'mark' | 'wait' | 'fake' | 'listen' }
>

/** Steps that only do something. */
async function runPlainStep(step: PlainStep | ShellStep, world: ShellWorld): Promise<readonly string[]> {
  switch (step.do) {
    case 'close':
      world.connection(step.on).close(step.code)
      break
    case 'cut':
      world.connection(step.on).cut()
      break
    case 'pause':
      world.websocket(step.on).peer.pause()
      break
    case 'resume':
      world.websocket(step.on).peer.resume()
      break
    case 'mute':
      world.websocket(step.on).peer.mute()
      break
    case 'mark':
      world.marks.set(step.as, performance.now())
      break
    case 'wait':
      await sleep(step.ms)
      break
    case 'fake':
      await world.startFake()
      break
    case 'listen':
      await world.listen(step.as, Number(fillTemplate(step.port, world.values)))
      break
    default:
      return [`cannot do ${step.do}`]
  }
  return []
}
