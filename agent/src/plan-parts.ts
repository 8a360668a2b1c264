import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import type { AgentConfig } from './config.ts'
import type { FeedHub } from './feeds/feed-hub.ts'
import { Instrument } from './instrument/instrument.ts'
import { instrumentOptions } from './instrument/instrument-options.ts'
import { MqttInstrument } from './mqtt/mqtt-instrument.ts'
import { mqttOptions } from './mqtt/mqtt-options.ts'
import { NamedPart, type Runner } from './named-part.ts'
import type { PartPlan } from './part-plan.ts'
import { shellPlans } from './shell-host/shell-plans.ts'
import { deliveryOf } from './uplink/delivery-of.ts'
import { topicUrl } from './uplink/destination.ts'
import { tokenFile } from '@relay/common/token-source'
import { Uplink, type UplinkLimits } from './uplink/uplink.ts'
import { Camera } from './video/camera.ts'
import { cameraOptions } from './video/camera-options.ts'

export interface PlanPartsDeps {
  readonly hub: FeedHub
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly environment: Environment
}

/**
 * The cameras, instruments, uplinks and the shell host of a configuration. What changes a part stands in the settings of its plan: a
 * reload leaves the others alone.
 */
export function planParts(config: AgentConfig, deps: PlanPartsDeps): readonly PartPlan[] {
  return [
    ...cameraPlans(config, deps),
    ...instrumentPlans(config, deps),
    ...mqttPlans(config, deps),
    ...uplinkPlans(config, deps),
    ...shellPlans(config, deps),
  ]
}

function cameraPlans({ cameras, video }: AgentConfig, deps: PlanPartsDeps): readonly PartPlan[] {
  return cameras.map((camera) =>
    planOf(
      `camera ${camera.name}`,
      { camera, video },
      () => new Camera(cameraOptions(camera, video.ffmpeg, deps.environment), deps),
    ),
  )
}

function instrumentPlans({ instruments }: AgentConfig, deps: PlanPartsDeps): readonly PartPlan[] {
  return instruments.map((instrument) =>
    planOf(
      `instrument ${instrument.name}`,
      instrument,
      () => new Instrument(instrumentOptions(instrument), deps),
    ),
  )
}

function mqttPlans({ mqttInstruments }: AgentConfig, deps: PlanPartsDeps): readonly PartPlan[] {
  return mqttInstruments.map((instrument) =>
    planOf(
      `mqtt instrument ${instrument.name}`,
      instrument,
      () => new MqttInstrument(mqttOptions(instrument), deps),
    ),
  )
}

function uplinkPlans(config: AgentConfig, deps: PlanPartsDeps): readonly PartPlan[] {
  const limits = uplinkLimits(config)
  return config.topics.map(({ topic, feed, access, tokenFile: path, delivery }) => {
    const destination = topicUrl(access === '' ? config.relay.access : access, topic)
    const settings = {
      id: topic,
      feed,
      destination,
      delivery: deliveryOf({ feed, delivery }, config),
      limits,
    }
    return planOf(`uplink ${topic}`, { ...settings, path }, () => {
      return new Uplink({ ...settings, token: tokenFile(path, deps.clock), recorder: undefined }, deps)
    })
  })
}

function planOf(key: string, settings: unknown, make: () => Runner): PartPlan {
  return { key, settings, make: () => new NamedPart(key, make()) }
}

/** What every uplink, also that of a rule, may use. Pure. */
export function uplinkLimits({ uplink }: AgentConfig): UplinkLimits {
  return {
    maxBufferedBytes: uplink.maxBuffered,
    maxLagMs: uplink.maxLag,
    queueBytes: uplink.queueSize,
    queueAgeMs: uplink.queueAge,
  }
}
