import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { AppError } from '@relay/common/errors'
import { firstInLine } from '../first-in-line.ts'
import { runProgram } from '../run-program.ts'

export interface WireOptions {
  /** The program of `compileDelayLink`. */
  readonly program: string
  /** Each way. */
  readonly delayMs: number
  readonly lossPer1000: number
  readonly mbitPerSec: number
}

/** A machine of its own as far as the network goes: what runs `within` it sees its interfaces alone. */
export interface NetworkRoom {
  readonly name: string
  /** The address that the others reach it by. */
  readonly address: string
  /** Words in front of a command. */
  readonly within: readonly string[]
}

interface Wire {
  readonly roomA: NetworkRoom
  readonly roomB: NetworkRoom
  readonly interfaceA: string
  readonly interfaceB: string
}

/**
 * Network namespaces, joined in a row by wires: the first reaches the last through those between. A wire is a veth pair, or
 * a program that delays and loses frames. Needs root. Dispose of it to remove all.
 */
export class NetworkRooms implements AsyncDisposable {
  readonly #tag = randomBytes(3).toString('hex')
  readonly #rooms: NetworkRoom[] = []
  readonly #wires: Wire[] = []
  readonly #programs: ChildProcess[] = []
  readonly #cut = new Set<number>()

  /** As many rooms as asked for; `wires[i]` joins room i with room i + 1, undefined for a plain one. */
  static async open(wires: readonly (WireOptions | undefined)[]): Promise<NetworkRooms> {
    const rooms = new NetworkRooms()
    try {
      for (let index = 0; index <= wires.length; index += 1) await rooms.#addRoom(index)
      for (const [index, options] of wires.entries()) await rooms.#addWire(index, options)
      await rooms.#route()
    } catch (error) {
      await rooms[Symbol.asyncDispose]()
      throw error
    }
    return rooms
  }

  room(index: number): NetworkRoom {
    const room = this.#rooms[index]
    if (room === undefined) throw new AppError('RIG_NETWORK', `there is no room ${String(index)}`)
    return room
  }

  /**
   * Joins a room with where we run ourselves. Returns the address of the room and ours, as either sees the other; it is
   * no wire, and nothing cuts it.
   */
  async joinUs(room: NetworkRoom): Promise<{ readonly room: string; readonly us: string }> {
    const tag = randomBytes(3)
    const names = [`u${tag.toString('hex')}a`, `u${tag.toString('hex')}b`] as const
    // Of 10.128.0.0/9 four addresses that nobody else has drawn.
    const base = `10.${String(128 + ((tag[0] ?? 0) >> 1))}.${String(tag[1] ?? 0)}`
    const four = (tag[2] ?? 0) & 0xfc
    const [us, theirs] = [`${base}.${String(four + 1)}`, `${base}.${String(four + 2)}`]
    await ip('link', 'add', names[0], 'type', 'veth', 'peer', 'name', names[1])
    await ip('link', 'set', names[1], 'netns', room.name)
    await ip('address', 'add', `${us}/30`, 'dev', names[0])
    await ip('link', 'set', names[0], 'up')
    await ip('-n', room.name, 'address', 'add', `${theirs}/30`, 'dev', names[1])
    await ip('-n', room.name, 'link', 'set', names[1], 'up')
    return { room: theirs, us }
  }

  /** Nothing gets through wire `index` any more, and nobody is told. */
  async cut(index: number): Promise<void> {
    const { roomB, interfaceB } = this.#wire(index)
    this.#cut.add(index)
    await ip('-n', roomB.name, 'link', 'set', interfaceB, 'down')
  }

  async mend(index: number): Promise<void> {
    const { roomB, interfaceB } = this.#wire(index)
    await ip('-n', roomB.name, 'link', 'set', interfaceB, 'up')
    this.#cut.delete(index)
    await this.#route()
  }

  /** Resets the connections of a room to a port, at both ends as far as they are in it. Says how many there were. */
  async reset(room: NetworkRoom, port: number): Promise<number> {
    const filter = ['-K', '-H', '-t', 'state', 'established', 'dport', '=', `:${String(port)}`]
    const { stdout } = await runProgram('ip', ['netns', 'exec', room.name, 'ss', ...filter])
    return stdout.split('\n').filter((line) => line.trim() !== '').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) {
      program.stdin?.end()
      if (program.exitCode === null) await once(program, 'exit')
    }
    for (const { name } of this.#rooms) await runProgram('ip', ['netns', 'del', name])
  }

  #wire(index: number): Wire {
    const wire = this.#wires[index]
    if (wire === undefined) throw new AppError('RIG_NETWORK', `there is no wire ${String(index)}`)
    return wire
  }

  async #addRoom(index: number): Promise<void> {
    const name = `rig-${this.#tag}-${String(index)}`
    await ip('netns', 'add', name)
    const address = `10.77.${String(index)}.1`
    this.#rooms.push({ name, address, within: ['ip', 'netns', 'exec', name] })
    await ip('-n', name, 'link', 'set', 'lo', 'up')
    // Its own address is on its loopback, so that it is the same over every wire.
    await ip('-n', name, 'address', 'add', `${address}/32`, 'dev', 'lo')
    await runProgram('ip', ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'])
  }

  async #addWire(index: number, options: WireOptions | undefined): Promise<void> {
    const [interfaceA, interfaceB] = [`w${this.#tag}${String(index)}a`, `w${this.#tag}${String(index)}b`]
    if (options === undefined) await ip('link', 'add', interfaceA, 'type', 'veth', 'peer', 'name', interfaceB)
    else await this.#startWire(options, interfaceA, interfaceB)
    const [roomA, roomB] = [this.room(index), this.room(index + 1)]
    const ends = [
      [roomA, interfaceA, '1'],
      [roomB, interfaceB, '2'],
    ] as const
    for (const [room, name, last] of ends) {
      await ip('link', 'set', name, 'netns', room.name)
      await ip('-n', room.name, 'address', 'add', `10.78.${String(index)}.${last}/24`, 'dev', name)
      await ip('-n', room.name, 'link', 'set', name, 'up')
    }
    this.#wires.push({ roomA, roomB, interfaceA, interfaceB })
  }

  async #startWire(options: WireOptions, interfaceA: string, interfaceB: string): Promise<void> {
    const numbers = [options.delayMs, options.lossPer1000, options.mbitPerSec, 1].map(String)
    // A wire does not wait for programs.
    const [command = '', ...words] = [...firstInLine, options.program, interfaceA, interfaceB, ...numbers]
    const program = spawn(command, words)
    this.#programs.push(program)
    let said = ''
    program.stderr.on('data', (text) => (said += String(text)))
    await Promise.race([once(program.stdout, 'data'), once(program, 'exit')])
    if (program.exitCode !== null) throw new AppError('RIG_NETWORK', `the wire ended: ${said}`)
  }

  /** Every room reaches the address of every other through its neighbour on that side. */
  async #route(): Promise<void> {
    for (const [from, room] of this.#rooms.entries()) {
      for (const [to, target] of this.#rooms.entries()) {
        if (from === to) continue
        const wire = to > from ? from : from - 1
        const gateway = `10.78.${String(wire)}.${to > from ? '2' : '1'}`
        const route = ['-n', room.name, 'route', 'replace', `${target.address}/32`, 'via', gateway]
        // Over a wire that is still cut there is no route; it comes when that one is mended.
        if (!this.#cut.has(wire)) await ip(...route, 'src', room.address)
      }
    }
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram('ip', words)
  if (code !== 0) throw new AppError('RIG_NETWORK', `ip ${words.join(' ')}: ${stderr.trim()}`)
}
