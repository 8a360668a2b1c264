import { loadConfig } from '@relay/common/config/load-config'
import { describeError } from '@relay/common/errors'
import { checkConfig } from '../check-config.ts'
import { agentConfigSpec } from '../config.ts'
import { agentYaml } from './agent-yaml.ts'
import type { PlannedConfig } from './plan-import.ts'
import type { Remark } from './read-old-device.ts'

export interface FittedConfig {
  readonly config: PlannedConfig
  /** What was left out, and why. */
  readonly leftOut: readonly Remark[]
}

/** More of one kind has no board; each is checked with all before it. */
const maxItems = 64

const empty: PlannedConfig = {
  name: '',
  access: '',
  localPort: undefined,
  topics: [],
  streams: [],
  cameras: [],
  instruments: [],
  shell: undefined,
}

/**
 * The part of a planned configuration that `relay-agent check` takes: what does not fit, by itself or beside the rest,
 * is left out and told. Pure.
 */
export function fitConfig(planned: PlannedConfig): FittedConfig {
  const leftOut: Remark[] = []
  let config = empty
  const tryWith = (place: string, candidate: PlannedConfig): void => {
    const flaw = flawOf(candidate)
    if (flaw === undefined) config = candidate
    else leftOut.push({ place, what: flaw })
  }
  tryWith('the name', { ...config, name: planned.name })
  tryWith('the address of the relay', { ...config, access: planned.access })
  tryWith('the port of the local API', { ...config, localPort: planned.localPort })
  if (planned.shell !== undefined) tryWith('the shell host', { ...config, shell: planned.shell })
  for (const stream of planned.streams.slice(0, maxItems))
    tryWith(`the stream ${stream.stream}`, { ...config, streams: [...config.streams, stream] })
  for (const camera of planned.cameras.slice(0, maxItems))
    tryWith(`the camera ${camera.name}`, { ...config, cameras: [...config.cameras, camera] })
  for (const instrument of planned.instruments.slice(0, maxItems))
    tryWith(`the instrument ${instrument.name}`, {
      ...config,
      instruments: [...config.instruments, instrument],
    })
  for (const topic of planned.topics.slice(0, maxItems))
    tryWith(`the topic ${topic.topic}`, { ...config, topics: [...config.topics, topic] })
  return { config, leftOut }
}

/** Why `relay-agent check` would refuse it, in one line. */
function flawOf(candidate: PlannedConfig): string | undefined {
  try {
    const loaded = loadConfig(agentConfigSpec, {
      file: { path: 'agent.yaml', text: agentYaml(candidate, []) },
    })
    return checkConfig(loaded)[0]?.what
  } catch (error) {
    return describeError(error)
      .split('\n')
      .at(-1)
      ?.trim()
      .replace(/^agent\.yaml line \d+: /, '')
  }
}
