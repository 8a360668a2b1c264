import { expect } from 'vitest'

/** Asks again and again until what it reads is as expected; patient, as the machine may be busy with others. */
export function expectSoon<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 20_000, interval: 20 })
}
