import { AppError } from './errors.ts'
import { FakeClock } from './fake-clock.ts'
import { expect, test } from 'vitest'
import { readInTime } from './read-in-time.ts'

test('a read that hangs is given up after 5 s, and no other is begun while it hangs', async () => {
  const clock = new FakeClock()
  const reads: PromiseWithResolvers<string>[] = []
  const read = readInTime(
    () => {
      const hanging = Promise.withResolvers<string>()
      reads.push(hanging)
      return hanging.promise
    },
    { clock, late: () => new AppError('LATE', 'it hangs') },
  )
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = read().catch((error: unknown) => error)
    await clock.advance(5_000)
    expect(await outcome).toMatchObject({
      code: 'LATE',
    })
  }
  expect(reads).toHaveLength(1)

  const late = read()
  reads[0]?.resolve('token')

  expect(await late).toBe('token')
  expect(clock.pending).toBe(0)
  const next = read()
  reads[1]?.resolve('another')
  expect(await next).toBe('another')
})

test('a fault of the read is passed on, also where nobody waits for it any more', async () => {
  const clock = new FakeClock()
  const read = readInTime(() => Promise.reject(new Error('no disk')), {
    clock,
    late: () => new AppError('LATE', 'it hangs'),
  })

  await expect(read()).rejects.toThrow('no disk')
  expect(clock.pending).toBe(0)
})
