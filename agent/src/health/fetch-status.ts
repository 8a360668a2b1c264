import { request } from 'node:http'
import { AppError, ConfigError, errorCode, UnavailableError } from '@relay/common/errors'
import { isStatusReport, type StatusReport } from './status-report.ts'

/** Where the agent of this machine tells its status. */
export interface StatusPlaces {
  /** Path of its unix socket; '' where there is none. */
  readonly socket: string
  /** Address of its metrics; port 0 where they are not served. */
  readonly metrics: { readonly host: string; readonly port: number }
}

const answerWithinMs = 5_000
const maxAnswerBytes = 4_194_304

/**
 * The status of the agent of this machine: from its unix socket, else from the port of its metrics.
 * @throws {ConfigError} `STATUS_OFF`. @throws {UnavailableError} `AGENT_NOT_RUNNING`, `AGENT_UNREACHABLE`,
 *   `AGENT_SILENT`, `STATUS_FORBIDDEN`. @throws {AppError} `AGENT_ANSWER_WRONG`, `ABORTED`.
 */
export async function fetchStatus(
  { socket, metrics }: StatusPlaces,
  signal: AbortSignal,
): Promise<StatusReport> {
  if (socket === '' && metrics.port === 0) {
    throw new ConfigError(
      'STATUS_OFF',
      'status.socket is empty and metrics.port is 0, so the agent tells no status; give it one of them',
    )
  }
  if (socket !== '') {
    try {
      return await ask({ socketPath: socket }, socket, signal)
    } catch (error) {
      if (metrics.port === 0 || errorCode(error) === 'ABORTED') throw error
    }
  }
  const host = localHost(metrics.host)
  const where = `http://${host.includes(':') ? `[${host}]` : host}:${metrics.port}/status`
  return await ask({ host, port: metrics.port }, where, signal)
}

type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number }

async function ask(place: Place, where: string, signal: AbortSignal): Promise<StatusReport> {
  const deadline = AbortSignal.timeout(answerWithinMs)
  let text: string
  try {
    text = await get(place, AbortSignal.any([signal, deadline]))
  } catch (cause) {
    if (signal.aborted) throw new AppError('ABORTED', 'the question was given up')
    throw deadline.aborted ? silent(where) : askError(place, where, cause)
  }
  const report = parse(text)
  if (isStatusReport(report)) return report
  throw new AppError(
    'AGENT_ANSWER_WRONG',
    `what answers at ${where} is no relay-agent, or of another version than this command`,
  )
}

function get(place: Place, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...place, path: '/status', agent: false, signal }, (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > maxAnswerBytes) response.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    })
    asked.on('error', reject)
    asked.end()
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function silent(where: string): UnavailableError {
  return new UnavailableError(
    'AGENT_SILENT',
    `the agent took the question at ${where} and gave no answer for ${answerWithinMs / 1000} s: it hangs; "systemctl restart relay-agent" helps`,
  )
}

function askError(place: Place, where: string, cause: unknown): AppError {
  if (!('socketPath' in place)) {
    return new UnavailableError('AGENT_UNREACHABLE', `no agent answers at ${where}; is it running?`)
  }
  switch (errorCode(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new UnavailableError(
        'AGENT_NOT_RUNNING',
        `the agent is not running: nobody answers at ${where}; "systemctl status relay-agent" says why, "systemctl start relay-agent" starts it`,
      )
    case 'EACCES':
    case 'EPERM':
      return new UnavailableError(
        'STATUS_FORBIDDEN',
        `you may not ask at ${where}; use sudo, or become a member of the group that "ls -l ${where}" shows`,
      )
    default:
      return new UnavailableError('AGENT_UNREACHABLE', `the agent cannot be asked at ${where}`, { cause })
  }
}

/** An agent that listens on every address is asked on loopback. */
function localHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
