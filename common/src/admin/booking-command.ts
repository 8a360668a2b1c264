import { systemClock } from '../clock.ts'
import type { Command } from '../command-line.ts'
import { commandLineOptions } from '../config/document-config.ts'
import { parseDurationMs } from '../config/schema.ts'
import { exitCode, UsageError } from '../errors.ts'
import { askRelay } from './admin-api.ts'
import { loadAdminConfig } from './admin-config.ts'
import type { AdminTool } from './admin-tool.ts'

/** `deny` and `allow`: a booking may not, or may again, connect (spec session 10.4). */
export function bookingCommand(tool: AdminTool, verb: 'deny' | 'allow'): Command {
  return {
    usage: `${verb} <bid>`,
    description:
      verb === 'deny' ? 'refuse a booking; its connections end at once' : 'take back the denial of a booking',
    positionals: { bid: { type: 'string', demandOption: true, describe: 'booking id' } },
    options: {
      exp: {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'end of the booking: unix seconds, a date such as 2026-11-30T12:00:00Z, or from now on: 2h',
      },
      ...commandLineOptions(tool.spec),
    },
    run: async (args, process) => {
      const bookingId = String(args['bid'])
      if (bookingId === '') throw new UsageError('the booking id is empty')
      const untilSec = readEnd(String(args['exp']), systemClock.nowMs())
      const config = loadAdminConfig(tool.spec, args, process)
      const query = new URLSearchParams({ bid: bookingId, exp: String(untilSec) })
      const path = `/bids/${verb}?${query.toString()}`
      await askRelay(tool, config, { method: 'POST', path, scope: 'relay:admin', signal: process.signal })
      const done = verb === 'deny' ? 'is denied' : 'is allowed'
      process.stdout.write(`booking ${bookingId} ${done} until ${new Date(untilSec * 1000).toISOString()}\n`)
      return exitCode.ok
    },
  }
}

/** The latest moment that a date can show. */
const latestSec = 253_402_300_799

/**
 * The end of a booking in unix seconds, from one of the three forms that `--exp` takes. Pure.
 * @throws {UsageError} for anything else.
 */
export function readEnd(text: string, nowMs: number): number {
  const seconds = secondsOf(text, nowMs)
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= latestSec) return seconds
  throw new UsageError(
    `"${text}" is no end of a booking: give unix seconds, a date such as 2026-11-30T12:00:00Z, or a time such as 2h`,
  )
}

function secondsOf(text: string, nowMs: number): number {
  if (/^[0-9]+$/.test(text)) return Number(text)
  if (/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$/.test(text))
    return Math.ceil((nowMs + parseDurationMs(text)) / 1000)
  return /^\d{4}-\d\d-\d\d/.test(text) ? Math.floor(Date.parse(text) / 1000) : Number.NaN
}
