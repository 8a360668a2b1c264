import { printable, textTable } from '@relay/common/admin/text-table'
import type { Connection } from './stats-report.ts'

const heading = ['EXPERIMENT', 'SESSION', 'WHO', 'SINCE', 'FROM', 'PROGRAM', 'SENT', 'RECEIVED', 'STATE']

/** Who is connected to what, one line for each connection, hosts before their sessions; for people. Pure. */
export function statsTable(connections: readonly Connection[]): string {
  if (connections.length === 0) return 'nobody is connected\n'
  const rows = connections
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
    .map((connection) => [
      printable(connection.id),
      connection.session === undefined ? '-' : printable(connection.session.slice(0, 8)),
      printable(connection.role),
      connection.since ?? '-',
      printable(connection.remote || '-'),
      printable(connection.program || '-'),
      bytesText(connection.bytesFrom),
      bytesText(connection.bytesTo),
      printable(connection.state ?? '-'),
    ])
  return textTable([heading, ...rows])
}

function orderOf({ id, session = '', role, since = '' }: Connection): string {
  return [id, session, role, since].join('\u0000')
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 MiB`; `-` where it is not known. Pure. */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return '-'
  let size = bytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}
