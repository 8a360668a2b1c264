import { isIP } from 'node:net'
import type { AgentConfig } from './config.ts'
import type { Finding } from './check-config.ts'

type Row = readonly [pointer: string, value: number, least: number, text: string, reason: string]

/** Values with which a part would run and do nothing. Pure. */
export function checkLimits(config: AgentConfig): readonly Finding[] {
  const { uplink, recordings, cameras, instruments, localApi, metrics, statusPage, heartbeat } = config
  const rows: readonly Row[] = [
    ['/uplink/queueSize', uplink.queueSize, 1024, '1KiB', 'no text would get through'],
    ['/uplink/queueAge', uplink.queueAge, 100, '100ms', 'text would be dropped before it is sent'],
    ['/uplink/maxBuffered', uplink.maxBuffered, 1024, '1KiB', 'nearly every picture would be dropped'],
    ['/uplink/maxLag', uplink.maxLag, 100, '100ms', 'nearly every picture would be dropped'],
    ['/heartbeat/every', heartbeat.every, 1_000, '1s', 'the topic would be nothing but heartbeats'],
    ['/recordings/maxSize', recordings.maxSize, 1, '1B', 'nothing would be recorded'],
    ...cameras.map(
      ({ stallAfter }, index): Row => [
        `/cameras/${index}/stallAfter`,
        stallAfter,
        500,
        '500ms',
        'the encoder would be killed between two pictures',
      ],
    ),
    ...instruments.flatMap(({ writeQueue, maxMessage }, index): Row[] => [
      [
        `/instruments/${index}/writeQueue`,
        writeQueue,
        64,
        '64B',
        'no command would fit, not even one to stop',
      ],
      [`/instruments/${index}/maxMessage`, maxMessage, 1, '1B', 'all that it says would be left out'],
    ]),
  ]
  return [
    ...rows
      .filter(([, value, least]) => value < least)
      .map(([pointer, , , text, reason]) => ({ pointer, what: `${text} is the least: with less ${reason}` })),
    ...checkListenAddress(localApi.host, '/localApi/host'),
    ...checkListenAddress(metrics.host, '/metrics/host'),
    ...checkListenAddress(statusPage.host, '/statusPage/host'),
    ...statusPage.allowedHosts.flatMap((host, index) => checkHost(host, `/statusPage/allowedHosts/${index}`)),
    ...localApi.allowedOrigins.flatMap((origin, index) =>
      checkOrigin(origin, `/localApi/allowedOrigins/${index}`),
    ),
    ...localApi.allowedHosts.flatMap((host, index) => checkHost(host, `/localApi/allowedHosts/${index}`)),
  ]
}

function checkListenAddress(host: string, pointer: string): readonly Finding[] {
  if (isHost(host) || (host === '*' && pointer !== '/metrics/host')) return []
  return [{ pointer, what: `"${host}" is neither an address nor a name of this machine` }]
}

/** Browsers send an origin without path, and without the port that goes without saying. */
function checkOrigin(origin: string, pointer: string): readonly Finding[] {
  const form = 'an origin is written https://lab.example.org, or with a port of its own'
  if (!URL.canParse(origin)) return [{ pointer, what: form }]
  const { protocol, origin: right } = new URL(origin)
  if (protocol !== 'https:' && protocol !== 'http:') return [{ pointer, what: form }]
  return right === origin ? [] : [{ pointer, what: `browsers send it as ${right}: write it so` }]
}

function checkHost(host: string, pointer: string): readonly Finding[] {
  return isHost(host) ? [] : [{ pointer, what: 'write the name alone, without port, path or brackets' }]
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true
  return /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/i.test(text) && /[^0-9.]/.test(text)
}
