import { AppError, ConfigError, UnavailableError } from '@relay/common/errors'
import type { AgentStatus } from './agent-status.ts'

const answerWithinMs = 5_000

/**
 * The status of the agent of this machine.
 * @throws {ConfigError} `STATUS_OFF`. @throws {UnavailableError} `AGENT_UNREACHABLE`. @throws {AppError} `AGENT_ANSWER_WRONG`.
 */
export async function fetchStatus(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<AgentStatus> {
  if (port === 0)
    throw new ConfigError('STATUS_OFF', 'metrics.port is 0, so the agent serves no status; give it a port')
  const where = `http://${urlHost(host)}:${port}/status`
  let response: Response
  let body: unknown
  try {
    response = await fetch(where, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
    })
    body = response.ok ? await response.json() : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError) throw wrongAnswer(where)
    throw new UnavailableError('AGENT_UNREACHABLE', `no agent answers at ${where}; is it running?`)
  }
  if (!isStatus(body)) throw wrongAnswer(where)
  return body
}

function wrongAnswer(where: string): AppError {
  return new AppError('AGENT_ANSWER_WRONG', `what answers at ${where} is no relay-agent, or an older one`)
}

/** An agent that listens on every address is asked on loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function isStatus(body: unknown): body is AgentStatus {
  if (typeof body !== 'object' || body === null) return false
  const lists = body as Readonly<Record<string, unknown>>
  return ['cameras', 'instruments', 'uplinks'].every((list) => Array.isArray(lists[list]))
}
