import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { aborted, systemClock } from '@relay/common/clock'
import { AppError, describeError, errorCode, UnavailableError } from '@relay/common/errors'
import { PtyPair } from '../pty/pty-pair.ts'
import { agentPart } from './agent-part.ts'
import { keepPluggedIn } from './cable.ts'
import { firstMessage } from './first-message.ts'
import { freePorts, isPortFree } from './free-port.ts'
import { instrumentPart } from './instrument-part.ts'
import { createLabFolder, removeAbandonedFolders } from './lab-folder.ts'
import { dataTopic, labPageAddress, mintStreams, videoTopic } from './lab-streams.ts'
import { type AgentShell, LabShell } from './lab-shell.ts'
import { LabTokens } from './lab-tokens.ts'
import { buildPage, isPageOutdated, pagePlace, readPage } from './page-files.ts'
import { PageServer } from './page-server.ts'
import { type Part, runPart } from './part.ts'
import { accessAddress, type RelayPartOptions, relayPart } from './relay-part.ts'
import { whyNoSshd } from './sshd-part.ts'

export interface LabOptions {
  /** Path of a V4L2 device; undefined for the test pattern. */
  readonly camera: string | undefined
  /** Path of a serial port; undefined for the simulated instrument. */
  readonly serial: string | undefined
  readonly kind: string
  /** Undefined: 8080, or a free one where that is taken. 0: a free one. */
  readonly port: number | undefined
  readonly isOpenToNetwork: boolean
  /** ssh to this machine through a shell relay, where it has an sshd. */
  readonly hasSsh: boolean
}

export interface LabDeps {
  /** One line for the person before the screen. */
  readonly say: (line: string) => void
}

const usualPort = 8080
const usualLocalApiPort = 8888
const arrivesWithinMs = 15_000
const minute = 60

/**
 * A whole laboratory on this machine: relay, agent, camera, instrument behind a serial cable, and the page. Invariants:
 * everything it starts or writes is released when `run` returns, however it returns; tokens and the secret are only in
 * a folder that nobody else can read, and in the address a person is sent to.
 */
export class Lab {
  readonly #options: LabOptions
  readonly #say: (line: string) => void
  /** Aborts when the person stops us or a part fails for good. */
  readonly #ending = new AbortController()
  readonly #running: Promise<void>[] = []
  #failure: unknown

  constructor(options: LabOptions, { say }: LabDeps) {
    this.#options = options
    this.#say = say
  }

  /**
   * Runs until `signal` aborts.
   * @throws {AppError} when a part does not come to work; everything has been ended by then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#ending.abort()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    await using released = new AsyncDisposableStack()
    released.defer(() => this.#endParts())
    try {
      await this.#start(released)
      await aborted(this.#ending.signal)
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error
    }
    if (this.#failure !== undefined) throw this.#failure
    this.#say('stopping')
  }

  async #start(released: AsyncDisposableStack): Promise<void> {
    const { isOpenToNetwork } = this.#options
    const name = isOpenToNetwork ? networkAddress() : '127.0.0.1'
    const host = isOpenToNetwork ? '0.0.0.0' : '127.0.0.1'
    await removeAbandonedFolders()
    const directory = await createLabFolder()
    released.defer(() => rm(directory, { recursive: true, force: true }))
    // Parts write there: they end before it goes.
    released.defer(() => this.#endParts())
    const secret = randomBytes(32).toString('hex')
    const secretFile = join(directory, 'secret')
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 })

    const [accessPort = 0, relayPort = 0] = await freePorts(2, host, Math.random)
    const place = { host, name, accessPort, relayPort }
    const access = accessAddress(place)
    const tokens = new LabTokens(access, secret)
    const pagePort = await this.#servePage(released, tokens, place)
    const corsOrigins = isOpenToNetwork
      ? ['*']
      : [`http://localhost:${pagePort}`, `http://127.0.0.1:${pagePort}`]
    await this.#startRelay({ ...place, secretFile, corsOrigins })
    const shell = await this.#startShell(directory, secret, secretFile)
    const serialDevice = this.#options.serial ?? (await this.#startInstrument(released, directory))
    await this.#startPart(
      await agentPart({
        directory: join(directory, 'agent'),
        access,
        tokens,
        cameraDevice: this.#options.camera,
        serialDevice,
        shell: shell?.agent,
        localApiPort: (await isPortFree(usualLocalApiPort, 'localhost')) ? usualLocalApiPort : 0,
        nowMs: systemClock.nowMs(),
      }),
    )
    this.#say('agent: runs')
    const login = this.#sayHowToLogIn(shell?.shell)
    this.#keep(login)
    await Promise.all([
      this.#sayWhatArrives(
        access,
        tokens,
        videoTopic,
        `video: ${this.#options.camera ?? 'the test pattern'}`,
      ),
      this.#sayWhatArrives(
        access,
        tokens,
        dataTopic,
        `instrument: ${this.#options.serial ?? `a simulated ${this.#options.kind}`}`,
      ),
      // It comes when it comes: the page is what people wait for.
      Promise.race([login, systemClock.sleep(arrivesWithinMs, this.#ending.signal)]),
    ])
    if (!this.#ending.signal.aborted)
      this.#say(`Open http://${isOpenToNetwork ? name : 'localhost'}:${pagePort}/`)
  }

  async #servePage(
    released: AsyncDisposableStack,
    tokens: LabTokens,
    place: Pick<RelayPartOptions, 'name' | 'accessPort'>,
  ): Promise<number> {
    if (await isPageOutdated(pagePlace)) {
      this.#say('page: building it, as it is missing or older than its sources')
      await buildPage(pagePlace, this.#ending.signal)
    }
    const { isOpenToNetwork } = this.#options
    const server = new PageServer({
      files: await readPage(pagePlace),
      machineName: hostname(),
      addressFor: async (asked) => {
        const nowMs = systemClock.nowMs()
        // Under the name by which the person reached us, they reach the relay too.
        const access = accessAddress({ ...place, name: isOpenToNetwork ? asked : place.name })
        return labPageAddress(
          await mintStreams(tokens, { access, audience: accessAddress(place), nowMs }),
          nowMs,
        )
      },
    })
    released.use(server)
    const port = await this.#listen(server)
    this.#say(`page: ready on port ${port}`)
    return port
  }

  async #listen(server: PageServer): Promise<number> {
    const { port, isOpenToNetwork } = this.#options
    const host = isOpenToNetwork ? '0.0.0.0' : 'localhost'
    if (port !== undefined) return await server.listen(port, host)
    try {
      return await server.listen(usualPort, host)
    } catch (error) {
      if (errorCode(error) !== 'PORT_IN_USE') throw error
      this.#say(`page: port ${usualPort} is in use by another program, taking a free one`)
      return await server.listen(0, host)
    }
  }

  async #startRelay(options: RelayPartOptions): Promise<void> {
    await this.#startPart(relayPart(options))
    this.#say(`relay: ready on ports ${options.accessPort} and ${options.relayPort}`)
  }

  /** An extra: without it the laboratory runs all the same, and a line says why. */
  async #startShell(
    directory: string,
    secret: string,
    secretFile: string,
  ): Promise<{ readonly shell: LabShell; readonly agent: AgentShell } | undefined> {
    if (!this.#options.hasSsh) return undefined
    const why = whyNoSshd()
    if (why !== undefined) {
      this.#say(`ssh: left out, as ${why}`)
      return undefined
    }
    try {
      const startPart = (part: Part): Promise<void> => this.#tryPart(part)
      return await LabShell.start({ directory: join(directory, 'ssh'), secret, secretFile, startPart })
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#say(`ssh: left out: ${describeError(error)}`)
      return undefined
    }
  }

  async #sayHowToLogIn(shell: LabShell | undefined): Promise<void> {
    if (shell === undefined) return
    try {
      this.#say(`ssh: ${await shell.prepareLogin(this.#ending.signal)}`)
    } catch (error) {
      if (!this.#ending.signal.aborted)
        this.#say(`ssh: does not log in: ${error instanceof AppError ? error.message : describeError(error)}`)
    }
  }

  /** Gives the computer's end of the cable. */
  async #startInstrument(released: AsyncDisposableStack, directory: string): Promise<string> {
    const cable = await PtyPair.create(directory)
    released.use(cable)
    released.defer(() => this.#endParts())
    this.#keep(keepPluggedIn(cable, this.#partDeps(), this.#ending.signal))
    await this.#startPart(instrumentPart(this.#options.kind, cable.devicePath))
    this.#say(`instrument: a simulated ${this.#options.kind} on a serial cable`)
    return cable.hostPath
  }

  /** Resolves when the part works. */
  async #startPart(part: Part): Promise<void> {
    await this.#untilWorks(part, (life) => this.#keep(life))
  }

  /** The same, for a part that the others do without. */
  async #tryPart(part: Part): Promise<void> {
    await this.#untilWorks(part, (life) => this.#keep(life.catch(() => undefined)))
  }

  async #untilWorks(part: Part, keep: (life: Promise<void>) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const life = runPart(part, this.#partDeps(), this.#ending.signal, resolve)
      keep(life)
      life.then(resolve, reject)
    })
  }

  #partDeps(): Parameters<typeof runPart>[1] {
    return { clock: systemClock, random: Math.random, say: this.#say }
  }

  /** The life of something that runs until we end; should it fail for good, so do we. */
  #keep(life: Promise<void>): void {
    this.#running.push(
      life.catch((error: unknown) => {
        this.#failure ??= error
        this.#ending.abort()
      }),
    )
  }

  /** Ends all parts at once and waits for them. */
  async #endParts(): Promise<void> {
    this.#ending.abort()
    await Promise.all(this.#running)
  }

  async #sayWhatArrives(access: string, tokens: LabTokens, topic: string, what: string): Promise<void> {
    const nowMs = systemClock.nowMs()
    const token = await tokens.mint({ topic, scopes: ['read'], lifetimeSec: 5 * minute }, nowMs)
    const stop = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(arrivesWithinMs)])
    const hasArrived = await firstMessage(`${access}/session/${topic}`, token, stop)
    if (this.#ending.signal.aborted) return
    this.#say(
      hasArrived ? `${what}: arrives` : `${what}: nothing has arrived yet; the page shows it when it does`,
    )
  }
}

/** The address under which other machines reach this one. */
function networkAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (found !== undefined) return found.address
  throw new UnavailableError(
    'NO_NETWORK',
    '--open-to-network: this machine has no network address; leave the option out',
  )
}
