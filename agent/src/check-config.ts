import type { AgentConfig, CameraConfig } from './config.ts'
import { parseDestination } from './uplink/destination.ts'
import { makesMpeg1, mpeg1FrameRates, needsDevice } from './video/encoder-presets.ts'

/** Something about a configuration that its schema cannot say. */
export interface Finding {
  /** JSON pointer to the value. */
  readonly pointer: string
  /** What is wrong and what would be right. */
  readonly what: string
}

/** What does not fit together in a configuration whose values are right one by one. Pure. */
export function checkConfig(config: AgentConfig): readonly Finding[] {
  return [
    ...duplicates('cameras', 'name', config.cameras),
    ...duplicates('instruments', 'name', config.instruments),
    ...duplicates('streams', 'stream', config.streams),
    ...duplicates('topics', 'topic', config.topics),
    ...duplicates('instruments', 'device', config.instruments),
    // Frames of two cameras in one feed would be one unreadable video.
    ...duplicates('cameras', 'feed', config.cameras),
    ...config.cameras.flatMap((camera, index) => checkCamera(camera, `/cameras/${index}`)),
    ...config.topics.flatMap((_topic, index) => checkTopic(config, index)),
    ...checkRelay(config),
  ]
}

function duplicates<K extends string>(
  list: string,
  key: K,
  items: readonly Readonly<Record<K, string>>[],
): readonly Finding[] {
  const seen = new Map<string, number>()
  const findings: Finding[] = []
  for (const [index, item] of items.entries()) {
    const earlier = seen.get(item[key])
    if (earlier === undefined) seen.set(item[key], index)
    else
      findings.push({
        pointer: `/${list}/${index}/${key}`,
        what: `"${item[key]}" stands in ${list}[${earlier}] already`,
      })
  }
  return findings
}

function checkCamera(camera: CameraConfig, pointer: string): readonly Finding[] {
  const findings: Finding[] = []
  if (camera.feed.startsWith('stream/'))
    findings.push({
      pointer: `${pointer}/feed`,
      what: 'a camera needs a feed, and this is the name of a stream',
    })
  if (needsDevice(camera.preset) && camera.device === '')
    findings.push({
      pointer: `${pointer}/device`,
      what: `the preset ${camera.preset} needs one; "ls /dev/v4l/by-id" shows what is connected`,
    })
  if (camera.preset === 'custom' && camera.arguments.length === 0)
    findings.push({
      pointer: `${pointer}/arguments`,
      what: 'the preset custom needs the arguments of ffmpeg',
    })
  if (camera.preset !== 'custom' && camera.arguments.length > 0)
    findings.push({ pointer: `${pointer}/arguments`, what: 'only the preset custom takes arguments' })
  if (makesMpeg1(camera.preset) && !mpeg1FrameRates.includes(camera.framesPerSecond))
    findings.push({
      pointer: `${pointer}/framesPerSecond`,
      what: `MPEG-1 knows only ${mpeg1FrameRates.join(', ')}`,
    })
  return findings
}

function checkTopic(config: AgentConfig, index: number): readonly Finding[] {
  const topic = config.topics[index]
  if (topic === undefined) return []
  const findings: Finding[] = []
  if (topic.access === '' && config.relay.access === '')
    findings.push({ pointer: '/relay/access', what: `it is missing, and the topic ${topic.topic} needs it` })
  findings.push(...checkAddress(topic.access, `/topics/${index}/access`))
  if (topic.feed.startsWith('stream/') && !config.streams.some(({ stream }) => stream === topic.feed))
    findings.push({ pointer: `/topics/${index}/feed`, what: `there is no stream "${topic.feed}" in streams` })
  return findings
}

function checkRelay(config: AgentConfig): readonly Finding[] {
  return checkAddress(config.relay.access, '/relay/access')
}

function checkAddress(address: string, pointer: string): readonly Finding[] {
  if (address === '') return []
  try {
    parseDestination(address, { hasToken: true })
    return []
  } catch (error) {
    return [{ pointer, what: error instanceof Error ? error.message : String(error) }]
  }
}
