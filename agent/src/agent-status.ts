import type { ShellHostStatus } from '@relay/common/shell-host/shell-host-status'
import type { ServerStatus } from './health/kept-server.ts'
import type { InstrumentStatus } from './instrument/instrument.ts'
import type { LocalApiStatus } from './local-api/local-api.ts'
import type { MqttInstrumentStatus } from './mqtt/mqtt-instrument.ts'
import type { UplinkStatus } from './uplink/uplink.ts'
import type { CameraStatus } from './video/camera-status.ts'

/** How everything stands at one moment. Holds no secret. */
export interface AgentStatus {
  readonly name: string
  /** `starting` until every part has been started. */
  readonly phase: 'starting' | 'running' | 'stopping'
  /** Parts that broke their promise to the watchdog. */
  readonly stuck: readonly StuckPart[]
  readonly cameras: readonly CameraStatus[]
  readonly instruments: readonly InstrumentStatus[]
  readonly mqttInstruments?: readonly MqttInstrumentStatus[]
  /** Those of the configuration and those of rules. */
  readonly uplinks: readonly UplinkStatus[]
  /** The shell host; none where none is configured. */
  readonly shells?: readonly ShellHostStatus[]
  /** All but the status socket: whoever asks there sees that it is served. */
  readonly servers?: readonly ServerStatus[]
  /** Undefined while it is not served. */
  readonly localApi: LocalApiStatus | undefined
}

/** A part whose own loop does not go on: only a restart of the agent helps. */
export interface StuckPart {
  /** As people know it: `camera front`. */
  readonly part: string
  readonly overdueMs: number
}
