import type { Command } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { AppError, exitCode } from '@relay/common/errors'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { askRelay } from './admin-api.ts'
import { adminSpec, loadAdminConfig } from './admin-config.ts'

const connectionSchema = Type.Object({
  topic: Type.String(),
  scopes: Type.Array(Type.String()),
  can_read: Type.Optional(Type.Boolean()),
  can_write: Type.Optional(Type.Boolean()),
  connected_at: Type.Optional(Type.String()),
  expires_at: Type.Optional(Type.String()),
  remote_addr: Type.Optional(Type.String()),
  user_agent: Type.Optional(Type.String()),
})
const statusSchema = Type.Array(connectionSchema)
type ConnectionStatus = Static<typeof connectionSchema>

/** `relay status`: who is connected. */
export const statusCommand: Command = {
  usage: 'status',
  description: 'list the connections of a relay',
  options: {
    json: { type: 'boolean', describe: 'print what the relay answers, as JSON' },
    ...commandLineOptions(adminSpec),
  },
  run: async (args, process) => {
    const config = loadAdminConfig(args, process)
    const text = await askRelay(config, {
      method: 'GET',
      path: '/status',
      scope: 'relay:stats',
      signal: process.signal,
    })
    process.stdout.write(args['json'] === true ? text : statusTable(parseStatus(text)))
    return exitCode.ok
  },
}

function parseStatus(text: string): readonly ConnectionStatus[] {
  try {
    const status: unknown = JSON.parse(text)
    if (Value.Check(statusSchema, status)) return status
  } catch {
    // Said below.
  }
  throw new AppError('RELAY_BAD_ANSWER', 'the relay answered something else than a list of connections')
}

/** One line for each connection, ordered by topic. Pure. */
export function statusTable(connections: readonly ConnectionStatus[]): string {
  const rows = connections
    .toSorted((a, b) => (a.topic < b.topic ? -1 : 1))
    .map((connection) => [
      printable(connection.topic),
      `${connection.can_read === true ? 'r' : '-'}${connection.can_write === true ? 'w' : '-'}`,
      connection.connected_at ?? '-',
      connection.expires_at ?? '-',
      printable(connection.remote_addr ?? '-'),
      printable(connection.user_agent ?? '-'),
    ])
  const table = [['TOPIC', 'MAY', 'SINCE', 'UNTIL', 'FROM', 'PROGRAM'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** What strangers chose may hold control characters: they must not reach a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, 80)
}
