/** What a shell host tells of its sessions, as far as it can be read: a status may be that of another version. */
type Facts = Readonly<Record<string, unknown>>

/** For the table of the status: `sessions 2, 1 without a link`. Pure. */
export function shellFigures(facts: Facts): readonly string[] {
  const { total, parked } = sessionsOf(facts)
  const { openedSessions, hostKeys, sshd } = facts
  return [
    `sessions ${total}`,
    ...(parked === 0 ? [] : [`${parked} without a link`]),
    ...(typeof openedSessions === 'number' ? [`opened ${openedSessions}`] : []),
    ...above('sshd not reached', facts['unreachableSessions']),
    ...above('resumed', facts['resumedSessions']),
    ...above('refused', facts['refusedSessions']),
    ...above('lost', facts['lostSessions']),
    ...(typeof sshd === 'string' ? [`sshd ${sshd}`] : []),
    ...(typeof hostKeys === 'number' ? [`host keys ${hostKeys}`] : []),
  ]
}

/** For the one line of a service manager: `live`, `live, 2 sessions`. Pure. */
export function shellState({ state, facts }: { readonly state: string; readonly facts: Facts }): string {
  const { total } = sessionsOf(facts)
  return total === 0 ? state : `${state}, ${total} session${total === 1 ? '' : 's'}`
}

function sessionsOf({ sessions }: Facts): { readonly total: number; readonly parked: number } {
  if (!Array.isArray(sessions)) return { total: 0, parked: 0 }
  const isParked = (session: unknown): boolean =>
    typeof session === 'object' && session !== null && 'state' in session && session.state === 'parked'
  return { total: sessions.length, parked: sessions.filter(isParked).length }
}

function above(word: string, value: unknown): readonly string[] {
  return typeof value === 'number' && value > 0 ? [`${word} ${value}`] : []
}
