import type { Machine } from '../machine.ts'
import { type CertificateFacts, probeRelay, type RelayAnswer } from '../probe-relay.ts'
import type { Check } from '../run-checks.ts'
import { ok, problem, type Verdict, warning } from '../verdict.ts'

export interface RelayFacts {
  /** As the configuration has it. */
  readonly access: string
  readonly answer: RelayAnswer
}

const answerWithinMs = 9_000

export function relayCheck(accesses: readonly string[], machine: Machine): Check {
  return {
    area: 'relay',
    look: async (signal) => {
      if (accesses.length === 0)
        return [warning('no relay is configured', 'set relay.access in the configuration')]
      const facts = await Promise.all(
        accesses.map(async (access): Promise<RelayFacts> => {
          const { environment, clock } = machine
          // Every relay, old ones too, answers 405 here (spec session 4.2): that tells that the path is right as well.
          const url = `${access.replace(/\/+$/, '')}/session/doctor`
          const answer = await probeRelay({
            url,
            environment,
            timeoutMs: answerWithinMs,
            signal,
            nowMs: () => clock.nowMs(),
          })
          return { access, answer }
        }),
      )
      return facts.flatMap((fact) => judgeRelay(fact, machine.clock.nowMs()))
    },
  }
}

/** Pure. */
export function judgeRelay({ access, answer }: RelayFacts, nowMs: number): readonly Verdict[] {
  const host = URL.parse(access)?.host ?? '(not an address)'
  if (answer.kind === 'failed') return [judgeFailure(host, answer)]
  return [
    ...(answer.certificate === undefined
      ? plainVerdict(access, host)
      : judgeCertificate(host, answer.certificate, nowMs)),
    judgeAnswer(host, answer.status, answer.body),
    ...judgeClockDifference(host, answer),
  ]
}

function plainVerdict(access: string, host: string): readonly Verdict[] {
  const { protocol, hostname } = new URL(access)
  if (protocol === 'https:' || hostname === 'localhost' || /^(?:127\.|\[::1\])/.test(hostname)) return []
  return [
    warning(
      `${host} is reached without TLS: tokens and pictures can be read on the way`,
      'give the relay a certificate and use https:// in relay.access',
    ),
  ]
}

/** What the errors of the TLS library mean; others are told by their code. */
const certificateFaults: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  CERT_HAS_EXPIRED: [
    'the certificate has expired',
    'renew it on the relay ("certbot renew"); where it is valid, the clock of this machine is wrong',
  ],
  CERT_NOT_YET_VALID: ['the certificate is not valid yet', 'the clock of this machine is probably behind'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate is for another name',
    'use the name of the certificate in relay.access, or get one for this name',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'the certificate is signed by itself, so nobody vouches for it',
    'get a real one, or name your own authority in NODE_EXTRA_CA_CERTS of the service',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'the certificate is signed by an authority that this machine does not know',
    'a firewall that reads along does that too; where it is your own, name it in NODE_EXTRA_CA_CERTS of the service',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'the relay sends its certificate without the one in between',
    'use fullchain.pem and not cert.pem in the web server of the relay',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'the certificate is signed by an authority that this machine does not know',
    'use fullchain.pem in the web server of the relay; where it is your own authority, name it in NODE_EXTRA_CA_CERTS of the service',
  ],
}

const dayMs = 86_400_000
const renewalDays = 14

function judgeCertificate(
  host: string,
  { fault, expiresAtMs, issuer }: CertificateFacts,
  nowMs: number,
): readonly Verdict[] {
  if (fault !== undefined) {
    const [what, advice] = certificateFaults[fault] ?? [
      `the certificate cannot be trusted (${fault})`,
      'see the web server of the relay',
    ]
    return [problem(`${host}: ${what}`, advice)]
  }
  const by = issuer === '' ? '' : ` by ${issuer}`
  if (expiresAtMs === undefined) return [ok(`${host} has a valid certificate${by}`)]
  const days = Math.floor((expiresAtMs - nowMs) / dayMs)
  return days < renewalDays
    ? [
        warning(
          `${host} has a certificate${by} that ends in ${days} days`,
          'renewing on the relay does not work: see "certbot renew --dry-run" there',
        ),
      ]
    : [ok(`${host} has a valid certificate${by} for ${days} days`)]
}

function judgeAnswer(host: string, status: number, body: string): Verdict {
  // Texts of practable/relay, which ours keeps (spec session 4.2).
  if (status === 405 && body.includes('[POST]')) return ok(`the access API of ${host} answers`)
  if (status === 404 && /path \S* was not found/.test(body))
    return problem(
      `${host} is a relay, but its access API is not at this path`,
      'correct the path in relay.access: it is what stands before /session/…',
    )
  if (status === 502 || status === 503 || status === 504)
    return problem(
      `the web server ${host} answers ${status}: the relay behind it is not there`,
      'start the relay on its machine: "systemctl status relay"',
    )
  if (status === 407)
    return problem('the proxy wants a user name and password', 'write them into HTTPS_PROXY of the service')
  if (status >= 300 && status < 400)
    return warning(
      `${host} sends on to another address (${status})`,
      'use that address in relay.access; not every relay and proxy keeps the request as it was',
    )
  return problem(
    `${host} answers ${status} and not as the access API of a relay`,
    'correct relay.access; a login page of the network (captive portal) answers like that too',
  )
}

const tolerableMs = 2_000
const wrongMs = 30_000

function judgeClockDifference(
  host: string,
  { dateMs, askedAtMs }: Extract<RelayAnswer, { kind: 'answered' }>,
): readonly Verdict[] {
  if (dateMs === undefined) return []
  // The header has whole seconds, cut off.
  const differenceMs = askedAtMs - (dateMs + 500)
  const seconds = Math.abs(differenceMs / 1000).toFixed(0)
  const shown = `the clock here is ${seconds} s ${differenceMs < 0 ? 'behind' : 'ahead of'} that of ${host}`
  if (Math.abs(differenceMs) <= tolerableMs) return [ok(`clock here and at ${host} agree`)]
  const advice =
    'set the clock here ("timedatectl set-ntp true"); where it is right, that of the relay is wrong'
  return Math.abs(differenceMs) <= wrongMs
    ? [warning(`${shown}: fresh tokens may be refused as not yet valid`, advice)]
    : [problem(`${shown}: tokens are refused or end early`, advice)]
}

function judgeFailure(host: string, { fault, why }: Extract<RelayAnswer, { kind: 'failed' }>): Verdict {
  const certificate = certificateFaults[fault]
  if (certificate !== undefined) return problem(`${host}: ${certificate[0]}`, certificate[1])
  switch (fault) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return problem(`${host} is not found`, 'see DNS')
    case 'ECONNREFUSED':
      return problem(
        `${host} refuses the connection: nothing listens there`,
        'check host and port in relay.access; is the relay (or the web server in front of it) running?',
      )
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return problem(
        `there is no way to ${host} (${fault})`,
        'the network is down: see "ip addr" and "ip route"; check cable or Wi-Fi',
      )
    case 'TIMEOUT':
    case 'ETIMEDOUT':
      return problem(
        `${host} does not answer`,
        'a firewall drops the packets, or the network is down: try from another network; ports 443 (or that of relay.access) must be open outwards',
      )
    case 'ECONNRESET':
      return problem(
        `${host} cuts the connection`,
        'a firewall may do that, or a web server that expects TLS (or none): check http:// and https:// in relay.access',
      )
    case 'PROXY_FAILED':
      return problem(`${host} is not reached: ${why}`, 'check HTTPS_PROXY and NO_PROXY of the service')
    default:
      return problem(`${host} is not reached (${fault}: ${why})`, 'check relay.access and the network')
  }
}
