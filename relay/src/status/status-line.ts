import { counted } from '@relay/common/server/counted'

export interface RelayFigures {
  readonly connections: number
  readonly topics: number
  /** One-time codes that nobody has used yet. */
  readonly codes: number
  readonly isDraining: boolean
}

/** How the relay does, in one line for `systemctl status`. Pure. */
export function relayStatusLine({ connections, topics, codes, isDraining }: RelayFigures): string {
  if (isDraining) return `draining: ${counted(connections, 'connection')} left`
  const waiting = codes === 0 ? '' : `, ${counted(codes, 'address', 'addresses')} not used yet`
  return `${counted(connections, 'connection')} on ${counted(topics, 'topic')}${waiting}`
}
