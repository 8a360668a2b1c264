import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import type { Finding } from '../check-config.ts'
import type { AgentConfig } from '../config.ts'
import { isStream } from '../feeds/feed-hub.ts'
import { isEveryAddress, isPrivateAddress } from './private-address.ts'
import { longestSocketPathBytes } from './status-socket.ts'

/** What is wrong with the settings of status, status page and heartbeat beyond their schema. Pure. */
export function checkHealthSettings(config: AgentConfig): readonly Finding[] {
  return [...checkSocket(config), ...checkPage(config), ...checkHeartbeat(config)]
}

function checkSocket({ status: { socket } }: AgentConfig): readonly Finding[] {
  const pointer = '/status/socket'
  if (socket === '') return []
  if (!isAbsolute(socket)) return [{ pointer, what: 'it must be a whole path, beginning with /' }]
  const bytes = Buffer.byteLength(socket)
  return bytes <= longestSocketPathBytes
    ? []
    : [{ pointer, what: `it is ${bytes} bytes long, and a unix socket may have ${longestSocketPathBytes}` }]
}

function checkPage({
  statusPage: { host, port, allowPublic },
  metrics,
  localApi,
}: AgentConfig): readonly Finding[] {
  if (port === 0) return []
  const findings: Finding[] = []
  const usedBy = [
    ...(metrics.port === port ? ['metrics.port'] : []),
    ...(localApi.enabled && localApi.port === port ? ['localApi.port'] : []),
  ]
  for (const other of usedBy)
    findings.push({ pointer: '/statusPage/port', what: `${port} is ${other} already; choose another` })
  if (!allowPublic && !isEveryAddress(host) && isIP(host) !== 0 && !isPrivateAddress(host))
    findings.push({
      pointer: '/statusPage/host',
      what: 'it is a public address, and the page is for local networks; set statusPage.allowPublic if that is meant',
    })
  return findings
}

function checkHeartbeat({ heartbeat, topics, cameras, instruments }: AgentConfig): readonly Finding[] {
  if (heartbeat.topic === '') return []
  const finding = (what: string): readonly Finding[] => [{ pointer: '/heartbeat/topic', what }]
  const topic = topics.find((one) => one.topic === heartbeat.topic)
  if (topic === undefined)
    return finding(
      `there is no topic "${heartbeat.topic}" in topics; add one with a feed of its own and its token file`,
    )
  const { feed } = topic
  if (isStream(feed)) return finding('its topic carries a stream; give it a feed of its own')
  const isTaken = [...cameras, ...instruments].some((part) => part.feed === feed)
  return isTaken
    ? finding(`the feed "${feed}" of its topic belongs to a camera or instrument; give it one of its own`)
    : []
}
