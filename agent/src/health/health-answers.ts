import type { PlainAnswer } from '@relay/common/metrics-server'
import type { Health } from './judge-health.ts'
import type { StatusReport } from './status-report.ts'

/**
 * What every server of the agent that tells its health answers, by path: `/status` as JSON, and `/livez`, `/readyz`,
 * `/linkz` for probes: 200, or 503 with each reason on a line.
 */
export function healthAnswers(report: () => StatusReport): Readonly<Record<string, () => PlainAnswer>> {
  return {
    '/status': () => ({
      status: 200,
      contentType: 'application/json',
      body: `${JSON.stringify(report())}\n`,
    }),
    '/livez': () => probeAnswer(report().health, 'live'),
    '/readyz': () => probeAnswer(report().health, 'ready'),
    '/linkz': () => probeAnswer(report().health, 'linked'),
  }
}

function probeAnswer(health: Health, question: keyof Health): PlainAnswer {
  const { ok, reasons } = health[question]
  const text = ok ? question : reasons.map(({ sentence }) => sentence.replaceAll(/\s+/g, ' ')).join('\n')
  return { status: ok ? 200 : 503, contentType: 'text/plain; charset=utf-8', body: `${text}\n` }
}
