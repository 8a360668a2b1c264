import { askRelay } from '@relay/common/admin/admin-api'
import { loadAdminConfig } from '@relay/common/admin/admin-config'
import { printable, textTable } from '@relay/common/admin/text-table'
import type { Command } from '@relay/common/command-line'
import { commandLineOptions } from '@relay/common/config/document-config'
import { AppError, exitCode } from '@relay/common/errors'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { relayAdmin } from './admin-tool.ts'

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
    ...commandLineOptions(relayAdmin.spec),
  },
  run: async (args, process) => {
    const config = loadAdminConfig(relayAdmin.spec, args, process)
    const text = await askRelay(relayAdmin, config, {
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
  return textTable([['TOPIC', 'MAY', 'SINCE', 'UNTIL', 'FROM', 'PROGRAM'], ...rows])
}
