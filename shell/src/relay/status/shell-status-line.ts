import { counted } from '@relay/common/server/counted'

export interface ShellFigures {
  /** Experiments whose host is connected. */
  readonly hosts: number
  /** Connections of clients, those that wait included. */
  readonly sessions: number
  /** Websockets. */
  readonly connections: number
  /** One-time codes that nobody has used yet. */
  readonly codes: number
  readonly isDraining: boolean
}

/** How the shell relay does, in one line for `systemctl status`. Pure. */
export function shellStatusLine({ hosts, sessions, connections, codes, isDraining }: ShellFigures): string {
  if (isDraining) return `draining: ${counted(connections, 'connection')} left`
  const waiting = codes === 0 ? '' : `, ${counted(codes, 'address', 'addresses')} not used yet`
  return `${counted(hosts, 'host')}, ${counted(sessions, 'session')}${waiting}`
}
