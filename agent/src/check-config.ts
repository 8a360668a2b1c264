import type { AgentConfig, CameraConfig } from './config.ts'
import { checkLimits } from './check-limits.ts'
import { checkHealthSettings } from './health/check-health-settings.ts'
import { isStream } from './feeds/feed-hub.ts'
import { checkMqtt } from './mqtt/check-mqtt.ts'
import { checkShell } from './shell-host/check-shell.ts'
import { checkInstrumentSettings } from './instrument/check-instrument.ts'
import { parseDestination } from './uplink/destination.ts'
import { checkCameras } from './video/check-cameras.ts'
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
    ...duplicates(
      'instruments',
      'recordFile',
      config.instruments,
      'two recordings in one file are unreadable',
    ),
    ...duplicates('cameras', 'device', config.cameras.map(usedDevice)),
    ...duplicates('cameras', 'feed', config.cameras, 'two videos in one feed are unreadable'),
    ...duplicates(
      'instruments',
      'feed',
      config.instruments,
      'each would get what the other measures as a command; give it a feed of its own',
    ),
    ...config.cameras.flatMap((camera, index) => checkCamera(camera, `/cameras/${index}`)),
    ...config.instruments.flatMap((_instrument, index) => checkInstrument(config, index)),
    ...config.instruments.flatMap((instrument, index) =>
      checkInstrumentSettings(instrument, `/instruments/${index}`),
    ),
    ...checkCameras(config),
    ...config.topics.flatMap((_topic, index) => checkTopic(config, index)),
    ...checkRelay(config),
    ...checkLimits(config),
    ...checkMqtt(config),
    ...checkShell(config),
    ...checkHealthSettings(config),
  ]
}

/** Empty texts stand for nothing and may stand there often. */
function duplicates<K extends string>(
  list: string,
  key: K,
  items: readonly Readonly<Record<K, string>>[],
  reason = '',
): readonly Finding[] {
  const seen = new Map<string, number>()
  const findings: Finding[] = []
  for (const [index, item] of items.entries()) {
    if (item[key] === '') continue
    const earlier = seen.get(item[key])
    if (earlier === undefined) seen.set(item[key], index)
    else
      findings.push({
        pointer: `/${list}/${index}/${key}`,
        what: `"${item[key]}" stands in ${list}[${earlier}] already${reason === '' ? '' : `: ${reason}`}`,
      })
  }
  return findings
}

/** A free list of arguments may name what it likes; of the others only one can open a device. */
function usedDevice({ preset, device }: CameraConfig): { readonly device: string } {
  return { device: needsDevice(preset) ? device : '' }
}

function checkCamera(camera: CameraConfig, pointer: string): readonly Finding[] {
  const findings: Finding[] = []
  if (isStream(camera.feed))
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

function checkInstrument({ cameras, instruments }: AgentConfig, index: number): readonly Finding[] {
  const instrument = instruments[index]
  if (instrument === undefined) return []
  const pointer = `/instruments/${index}/feed`
  if (isStream(instrument.feed))
    return [{ pointer, what: 'an instrument needs a feed, and this is the name of a stream' }]
  const camera = cameras.findIndex(({ feed }) => feed === instrument.feed)
  if (camera < 0) return []
  return [
    {
      pointer,
      what: `"${instrument.feed}" is the feed of cameras[${camera}]: its video would be written to the serial port`,
    },
  ]
}

function checkTopic(config: AgentConfig, index: number): readonly Finding[] {
  const topic = config.topics[index]
  if (topic === undefined) return []
  const findings: Finding[] = []
  if (topic.access === '' && config.relay.access === '')
    findings.push({ pointer: '/relay/access', what: `it is missing, and the topic ${topic.topic} needs it` })
  findings.push(...checkAddress(topic.access, `/topics/${index}/access`))
  if (isStream(topic.feed) && !config.streams.some(({ stream }) => stream === topic.feed))
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
