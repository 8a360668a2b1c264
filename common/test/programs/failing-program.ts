import { runMain } from '../../src/run-main.ts'

/** A program whose own start fails, before any command. */
await runMain(() => Promise.reject(new TypeError('nothing is as it should be')))
