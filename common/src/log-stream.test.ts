import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LogStream } from './log-stream.ts'

/** A pipe that takes so many bytes until somebody reads, and then says that it is full. */
class Pipe {
  taken = ''
  room = 0
  isGone = false

  readonly write = (_fd: number, data: Uint8Array): number => {
    if (this.isGone) throw Object.assign(new Error('broken pipe'), { code: 'EPIPE' })
    if (this.room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
    const count = Math.min(this.room, data.length)
    this.room -= count
    this.taken += Buffer.from(data.subarray(0, count)).toString('latin1')
    return count
  }
}

interface Rig {
  readonly pipe: Pipe
  readonly stream: LogStream
  readonly losses: number[]
}

function rig({ maxBufferedBytes = 100 } = {}): Rig {
  const pipe = new Pipe()
  const losses: number[] = []
  const stream = new LogStream({
    fd: 1,
    maxBufferedBytes,
    onLost: (lines) => losses.push(lines),
    write: pipe.write,
  })
  return { pipe, stream, losses }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('log lines', () => {
  test('go out at once and in order, and nothing is kept', () => {
    const { pipe, stream } = rig()
    pipe.room = 1000
    for (const line of ['a\n', 'b\n', 'c\n']) stream.write(line)

    expect(pipe.taken).toBe('a\nb\nc\n')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('wait for a reader that stalls, in order and to the byte', () => {
    const { pipe, stream, losses } = rig()
    pipe.room = 3
    for (const line of ['first\n', 'second\n']) stream.write(line)
    expect(pipe.taken).toBe('fir')
    expect(vi.getTimerCount()).toBe(1)

    pipe.room = 5
    vi.advanceTimersByTime(100)
    expect(pipe.taken).toBe('first\nse')
    pipe.room = 100
    vi.advanceTimersByTime(100)
    stream.write('third\n')
    expect(pipe.taken).toBe('first\nsecond\nthird\n')
    expect(losses).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('beyond the limit are lost whole, and counted once there is room', () => {
    const { pipe, stream, losses } = rig({ maxBufferedBytes: 10 })
    for (const line of ['12345\n', '123\n', 'lost 1\n', 'lost 2\n']) stream.write(line)
    expect(losses).toEqual([])

    pipe.room = 1000
    vi.advanceTimersByTime(100)
    stream.write('after\n')
    expect(pipe.taken).toBe('12345\n123\nafter\n')
    expect(losses).toEqual([2])
  })

  test('to a reader that has gone are dropped, and nothing is tried again', () => {
    const { pipe, stream, losses } = rig()
    stream.write('waits\n')
    pipe.isGone = true
    vi.advanceTimersByTime(100)
    stream.write('late\n')

    expect({ taken: pipe.taken, losses }).toEqual({ taken: '', losses: [] })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('whatever the reader does, what comes out is lines in order with some left out', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('line' as const), length: fc.nat(20) }),
      fc.record({ kind: fc.constant('read' as const), bytes: fc.nat(60) }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (steps) => {
        const { pipe, stream, losses } = rig({ maxBufferedBytes: 50 })
        const lines: string[] = []
        for (const step of steps) {
          if (step.kind === 'line') {
            lines.push(`${lines.length}:${'x'.repeat(step.length)}`)
            stream.write(`${lines.at(-1)}\n`)
          } else {
            pipe.room += step.bytes
            vi.advanceTimersByTime(100)
          }
        }
        pipe.room = 1_000_000
        vi.advanceTimersByTime(100)
        const out = pipe.taken.split('\n').slice(0, -1)
        const numbers = out.map((line) => Number.parseInt(line, 10))
        expect(out.every((line) => lines.includes(line))).toBe(true)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(out.length + losses.reduce((sum, count) => sum + count, 0)).toBe(lines.length)
        vi.clearAllTimers()
      }),
    )
  })
})

describe('before the exit', () => {
  test('what waits goes out', () => {
    const { pipe, stream } = rig()
    stream.write('last\n')
    pipe.room = 100
    stream.flushForExit()

    expect(pipe.taken).toBe('last\n')
  })

  test('a reader that stalls is not waited for without end', () => {
    vi.useRealTimers()
    const { stream } = rig()
    stream.write('last\n')
    const before = performance.now()
    stream.flushForExit()

    expect(performance.now() - before).toBeGreaterThanOrEqual(990)
  })
})
