import type { AgentStatus } from '../agent-status.ts'
import { adviceFor } from './advice-for.ts'
import { type HealthPart, healthParts } from './health-part.ts'

/** Why something is not as it should be. */
export interface Reason {
  /** `camera front`; `agent` for the whole. */
  readonly part: string
  /** Of its fault, or what its state is: `STARTING`. Stable. */
  readonly code: string
  /** What is wrong and what to do, one sentence. Holds no secret. */
  readonly sentence: string
}

export interface Verdict {
  readonly ok: boolean
  /** Empty exactly when `ok`. */
  readonly reasons: readonly Reason[]
}

/**
 * Three questions that must not be mixed up: only what is not `live` is helped by a restart; what is not `ready` needs
 * somebody at the hardware; what is not `linked` needs the network, the relay or a token.
 */
export interface Health {
  /** No part is stuck. That the event loop turns shows in the answer itself. */
  readonly live: Verdict
  /** Every part has been started, and each camera and instrument works. */
  readonly ready: Verdict
  /** Every uplink and the shell host are connected. Without any there is nothing to be linked, and it is true. */
  readonly linked: Verdict
}

/** How the agent does. Pure. */
export function judgeHealth(status: AgentStatus): Health {
  const parts = healthParts(status)
  // A sshd that is away is a matter of this machine, not of the network.
  const isUplink = ({ kind, fault }: HealthPart): boolean =>
    kind === 'uplink' || (kind === 'shell' && fault?.code !== 'SSHD_UNREACHABLE')
  const underWay = phaseReasons(status)
  return {
    live: verdict(
      status.stuck.map(({ part, overdueMs }) => ({
        part,
        code: 'STUCK',
        sentence: `${part} has not moved on for ${Math.ceil(overdueMs / 1000)} s longer than it promised; systemd restarts the agent, else do "systemctl restart relay-agent"`,
      })),
    ),
    ready: verdict([...underWay, ...parts.filter((part) => !isUplink(part)).flatMap(reasonsOf)]),
    // An uplink that was stopped is one whose rule was deleted.
    linked: verdict(parts.filter((part) => isUplink(part) && part.state !== 'stopped').flatMap(reasonsOf)),
  }
}

function verdict(reasons: readonly Reason[]): Verdict {
  return { ok: reasons.length === 0, reasons }
}

function phaseReasons({ phase }: AgentStatus): readonly Reason[] {
  if (phase === 'running') return []
  const sentence =
    phase === 'starting' ? 'the agent is starting; wait a moment' : 'the agent is stopping, as it was told to'
  return [{ part: 'agent', code: phase.toUpperCase(), sentence }]
}

function reasonsOf({ works, title, state, fault }: HealthPart): readonly Reason[] {
  if (works) return []
  if (fault === undefined) {
    const wait = state === 'stopped' ? '' : '; wait a moment'
    return [
      {
        part: title,
        code: state.toUpperCase().replaceAll('-', '_'),
        sentence: `${title} is ${state}${wait}`,
      },
    ]
  }
  const advice = adviceFor(fault.code)
  const sentence = `${title}: ${fault.message}${advice === undefined ? '' : `; ${advice}`}`
  return [{ part: title, code: fault.code, sentence }]
}
