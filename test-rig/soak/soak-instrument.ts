import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { childEnvironment } from '../src/lab/child-environment.ts'
import { OwnedProcess } from '../src/lab/owned-process.ts'
import { PtyPair } from '../src/pty/pty-pair.ts'

const program = join(import.meta.dirname, 'counting-instrument.ts')
const linesPerSec = 20

/** The simulated instrument with numbered readings, at the device's end of a serial cable. */
export class SoakInstrument implements AsyncDisposable {
  readonly cable: PtyPair
  #process: OwnedProcess | undefined
  #run = 0

  private constructor(cable: PtyPair) {
    this.cable = cable
  }

  static async start(folder: string): Promise<SoakInstrument> {
    const instrument = new SoakInstrument(await PtyPair.create(folder))
    await instrument.start()
    return instrument
  }

  /** Starts it again after `kill`, as a new run. */
  async start(): Promise<void> {
    this.#run += 1
    this.#process = await OwnedProcess.start({
      name: 'instrument',
      command: process.execPath,
      args: [program, this.cable.devicePath, String(this.#run), String(linesPerSec)],
      env: childEnvironment(process.env),
    })
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** Bytes that come out at the computer's end of the cable, among what the instrument says; as many as fit. */
  babble(bytes: Buffer): void {
    const fd = openSync(this.cable.devicePath, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
    try {
      writeSync(fd, bytes)
    } catch (error) {
      // A cable that is full loses bytes, as a real one does.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    } finally {
      closeSync(fd)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await this.cable[Symbol.asyncDispose]()
  }
}
