import type { ShellHostStatus } from '@relay/common/shell-host/shell-host-status'

interface ShellMetric {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly value: (shell: ShellHostStatus) => number
}

/** What Prometheus gets of the shell host. */
export const shellMetrics: readonly ShellMetric[] = [
  {
    name: 'agent_shell_live',
    help: '1 while the shell host is connected to its relay and in charge of its id',
    kind: 'gauge',
    value: ({ state }) => (state === 'live' ? 1 : 0),
  },
  {
    name: 'agent_shell_sessions',
    help: 'sessions of the shell host now',
    kind: 'gauge',
    value: ({ sessions }) => sessions.length,
  },
  {
    name: 'agent_shell_parked_sessions',
    help: 'those of them that wait for their link to come back',
    kind: 'gauge',
    value: ({ sessions }) => sessions.filter(({ state }) => state === 'parked').length,
  },
  {
    name: 'agent_shell_connects_total',
    help: 'how often the shell host was connected to its relay',
    kind: 'counter',
    value: ({ connects }) => connects,
  },
  {
    name: 'agent_shell_opened_sessions_total',
    help: 'sessions that reached sshd',
    kind: 'counter',
    value: ({ openedSessions }) => openedSessions,
  },
  {
    name: 'agent_shell_unreachable_sessions_total',
    help: 'sessions for which sshd was not to be reached',
    kind: 'counter',
    value: ({ unreachableSessions }) => unreachableSessions,
  },
  {
    name: 'agent_shell_resumed_sessions_total',
    help: 'how often a session went on over another link',
    kind: 'counter',
    value: ({ resumedSessions }) => resumedSessions,
  },
  {
    name: 'agent_shell_refused_sessions_total',
    help: "sessions beyond a limit, with another token, or at an address that is not the relay's",
    kind: 'counter',
    value: ({ refusedSessions }) => refusedSessions,
  },
  {
    name: 'agent_shell_lost_sessions_total',
    help: 'sessions that were given up without a link',
    kind: 'counter',
    value: ({ lostSessions }) => lostSessions,
  },
  {
    name: 'agent_shell_sent_bytes_total',
    help: 'bytes from sshd to people',
    kind: 'counter',
    value: ({ sentBytes }) => sentBytes,
  },
  {
    name: 'agent_shell_received_bytes_total',
    help: 'bytes from people to sshd',
    kind: 'counter',
    value: ({ receivedBytes }) => receivedBytes,
  },
]
