import type { ShellHostStatus } from './shell-host-status.ts'

/** How a shell host does, in one line for a service manager. Pure. */
export function shellHostLine({ name, state, sessions, fault }: ShellHostStatus): string {
  const parked = sessions.filter((session) => session.state === 'parked').length
  const count = `${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}`
  return [
    `shell ${name} ${state}`,
    parked === 0 ? count : `${count}, ${parked} of them waiting for their link`,
    ...(fault === undefined ? [] : [`${fault.code}: ${fault.message}`]),
  ].join(' | ')
}
