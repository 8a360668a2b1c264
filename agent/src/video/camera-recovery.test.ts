import { FakeClock } from '@relay/common/fake-clock'
import { silentLog } from '@relay/common/log'
import { expect, test } from 'vitest'
import { CameraRecovery } from './camera-recovery.ts'
import type { RecoveryStep } from './recovery-step.ts'
import type { UsbLocation } from './usb-location.ts'

const location: UsbLocation = { name: '1-1.4', busNumber: 1, deviceNumber: 7, hub: '1-1', port: 4 }
const { signal } = new AbortController()

function recovery(upTo: RecoveryStep, { isOnUsb = true, works = true } = {}) {
  const clock = new FakeClock()
  const done: string[] = []
  const at = (step: string, place: UsbLocation) => {
    done.push(`${step} ${place.name} at ${clock.monotonicMs() / 1000} s`)
    return works
      ? Promise.resolve({ ok: true } as const)
      : Promise.resolve({ ok: false, code: 'USB_RESET_FAILED', reason: 'not permitted' } as const)
  }
  const bus = { isThere: isOnUsb }
  const made = new CameraRecovery(
    {
      camera: 'cam',
      upTo,
      locate: () => (bus.isThere ? location : undefined),
      resetUsb: (place) => at('reset', place),
      cyclePower: (place) => at('power', place),
    },
    { clock, log: silentLog() },
  )
  /** It fails every ten seconds. */
  const fail = async (times: number, code = 'ENCODER_STALLED', isPresent = true): Promise<void> => {
    for (let round = 0; round < times; round += 1) {
      await clock.advance(10_000)
      await made.afterFailure(code, isPresent, signal)
    }
  }
  return { made, clock, done, fail, bus }
}

test('a camera that stalls again and again is reset, then its port is switched, ever more rarely', async () => {
  const { done, fail, made } = recovery('port-power')

  await fail(100)

  expect(done).toEqual([
    'reset 1-1.4 at 30 s',
    'reset 1-1.4 at 90 s',
    'power 1-1.4 at 100 s',
    'reset 1-1.4 at 210 s',
    'power 1-1.4 at 400 s',
    'reset 1-1.4 at 450 s',
    'reset 1-1.4 at 930 s',
    'power 1-1.4 at 1000 s',
  ])
  expect(made.status).toMatchObject({ usbResets: 5, powerCycles: 3, fault: undefined })
})

test('nothing is reset unless the configuration asks for it', async () => {
  const { done, fail } = recovery('restart')
  await fail(100)

  expect(done).toEqual([])
})

test('wrong settings are not answered by a reset', async () => {
  const { done, fail } = recovery('port-power')
  await fail(100, 'CAMERA_WRONG_FORMAT')
  await fail(100, 'FFMPEG_MISSING')

  expect(done).toEqual([])
})

test('a camera that fell off the bus gets power at the port where it was seen', async () => {
  const { done, fail, made, bus } = recovery('port-power')
  made.isWell()
  bus.isThere = false
  await fail(8, 'CAMERA_MISSING', false)

  expect(done).toEqual(['power 1-1.4 at 70 s'])
})

test('one that was never seen is not guessed at', async () => {
  const { done, fail, made } = recovery('port-power', { isOnUsb: false })
  await fail(8, 'CAMERA_MISSING', false)

  expect(done).toEqual([])
  expect(made.status.fault).toMatchObject({
    code: 'PORT_POWER_FAILED',
    message: 'the camera was never seen on the USB',
  })
})

test('pictures between the failures count as well only after a while', async () => {
  const flapping = recovery('usb-reset')
  for (let round = 0; round < 5; round += 1) {
    flapping.made.isWell()
    await flapping.clock.advance(2_000)
    flapping.made.isWell()
    await flapping.fail(1)
  }
  expect(flapping.done).toHaveLength(1)

  const mostlyWell = recovery('usb-reset')
  for (let round = 0; round < 5; round += 1) {
    mostlyWell.made.isWell()
    await mostlyWell.clock.advance(15_000)
    mostlyWell.made.isWell()
    await mostlyWell.fail(1)
  }
  expect(mostlyWell.done).toEqual([])
})

test('a reset that is not permitted is told with its reason and not counted', async () => {
  const { fail, made } = recovery('usb-reset', { works: false })
  await fail(4)

  expect(made.status).toMatchObject({
    usbResets: 0,
    fault: { code: 'USB_RESET_FAILED', message: 'not permitted' },
  })
})
