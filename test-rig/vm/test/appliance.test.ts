import { afterAll, beforeAll, expect, test } from 'vitest'
import { measured } from '../../src/rig/measured.ts'
import type { TopicPeer } from '../../src/rig/topic-peer.ts'
import { until } from '../../src/rig/until.ts'
import { Board, serialDevice } from '../board.ts'

/** Under emulation everything takes several times as long as on a board. */
const slowMs = 60_000
const megabyte = 1_048_576

let board: Board
beforeAll(async () => {
  board = await Board.start()
})
afterAll(async () => {
  // Undefined where the start failed, which has been told.
  await (board as Board | undefined)?.[Symbol.asyncDispose]()
})

test('a technician who logs in by ssh reads how the experiment does', async () => {
  const text = await board.untilStatus('that it is linked', /Status: ".*pendulum 00.*linked/i, slowMs)

  expect(text).toMatch(/Active: active \(running\)/)
  expect(text).toMatch(/Loaded: loaded .*enabled/)
})

test('a board that is plugged in, out and in again over USB is found by its udev name each time', async () => {
  const { machine, relay } = board
  await using viewer = await relay.join('pend00-data')
  const isData = ({ data }: { data: Buffer }): boolean => data.toString().includes('"angle"')

  await machine.plug()
  await viewer.message(isData, slowMs)
  expect(await machine.must(`readlink -f '${serialDevice}'`)).toMatch(/^\/dev\/ttyUSB\d+\n$/)
  // A line of its own that a new port echoes back before it is raw may spoil the first command.
  await until(
    'the answer to a ping',
    () => {
      viewer.send('{"cmd":"ping","id":7}')
      return viewer.received.some(({ data }) => data.toString().includes('"pong":7'))
    },
    { withinMs: slowMs, everyMs: 1_000 },
  )

  for (const round of [1, 2]) {
    await machine.unplug()
    await board.untilStatus(
      'that the instrument is gone',
      /Status: ".*(missing|gone|not there|waiting)/i,
      slowMs,
    )
    expect(await machine.run(`ls '${serialDevice}'`)).toMatchObject({ code: 2 })
    viewer.received.length = 0
    const pluggedAtMs = performance.now()
    await machine.plug()
    const { atMs } = await viewer.message(isData, slowMs)
    measured(
      `VM: USB serial plugged in to data at a viewer, round ${round}`,
      `${((atMs - pluggedAtMs) / 1000).toFixed(2)} s (emulated)`,
    )
  }
  expect(await board.property('NRestarts')).toBe('0')
})

test('a camera that stalls is found out and comes back, and the service itself never restarts', async () => {
  const { machine, relay } = board
  await using viewer = await relay.join('pend00-video')
  await flowing(viewer)

  await machine.must('v4l2-ctl -d /dev/video0 -c percentage_of_dropped_buffers=100')
  await board.untilStatus('that the camera stalls', /Status: ".*(stall|no picture|silent)/i, slowMs)
  viewer.received.length = 0
  await machine.must('v4l2-ctl -d /dev/video0 -c percentage_of_dropped_buffers=0')
  await flowing(viewer)

  expect(await board.property('NRestarts')).toBe('0')
})

test('a camera that is torn out and put back is found again', async () => {
  const { machine, relay } = board
  await using viewer = await relay.join('pend00-video')
  await flowing(viewer)

  // It may be back before a status is read: the journal forgets nothing.
  const failures = async (): Promise<number> =>
    Number((await machine.run("journalctl -b -o cat CAMERA=front | grep -c 'camera failed'")).stdout)
  const before = await failures()

  // As if pulled: the driver takes its device away, and gives a new one when the last who held it has let go.
  await machine.must('v4l2-ctl -d /dev/video0 -c disconnect=1')
  await until('the failure in the journal', async () => (await failures()) > before, { withinMs: slowMs })
  viewer.received.length = 0
  await flowing(viewer)

  expect(await board.property('NRestarts')).toBe('0')
})

test('what the service may use of the memory is held down by the kernel, and the machine stays well', async () => {
  const { machine } = board
  const limit = Number(await board.property('MemoryMax'))
  expect(limit).toBeGreaterThan(100 * megabyte)
  expect(limit).toBeLessThan(1_024 * megabyte)

  // Something inside of the service takes more than it may have: the kernel ends that, and nothing else.
  const tooMuch = Math.round(1.1 * limit)
  const pid = await board.property('MainPID')
  const hog = await machine.run(
    `echo $$ > /sys/fs/cgroup/system.slice/relay-agent.service/cgroup.procs
    head -c ${tooMuch} /dev/zero | tail -c ${tooMuch} > /dev/null`,
  )
  const events = await machine.must('cat /sys/fs/cgroup/system.slice/relay-agent.service/memory.events')

  expect(hog.code).not.toBe(0)
  expect(events).toMatch(/oom_kill [1-9]/)
  await board.untilStatus('that it runs', /Active: active \(running\)/, slowMs)
  measured(
    'VM: MemoryMax',
    `${Math.round(limit / megabyte)} MiB; agent ${pid === (await board.property('MainPID')) ? 'went on' : 'was restarted'}`,
  )
  expect((await machine.run('systemctl is-system-running')).stdout.trim()).toMatch(/running|degraded/)
})

/** Pictures come in, again and again. */
async function flowing(viewer: TopicPeer): Promise<void> {
  const before = viewer.received.length
  await viewer.message(() => viewer.received.length >= before + 10, slowMs)
}
