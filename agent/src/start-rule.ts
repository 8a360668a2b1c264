import type { DestinationRule, PreparedRule, RunningRule } from './feeds/rules.ts'
import { recordingPath, startRecording } from './uplink/recording.ts'
import { fixedToken } from '@relay/common/token-source'
import { type Delivery, Uplink, type UplinkDeps, type UplinkLimits } from './uplink/uplink.ts'

export interface RuleOptions {
  readonly limits: UplinkLimits
  /** '' where nothing may be recorded. */
  readonly recordingDirectory: string
  readonly maxRecordingBytes: number
  readonly deliveryOf: (feed: string) => Delivery
}

export interface RuleDeps extends UplinkDeps {
  /** Keeps a list of the uplinks of rules, for the status. */
  readonly uplinks: Set<Uplink>
}

/** Turns a destination rule (spec session 7.2) into an uplink. A file outside of the directory is refused. */
export function prepareRule(rule: DestinationRule, options: RuleOptions, deps: RuleDeps): PreparedRule {
  const { id, stream, destination, token, file } = rule
  const recording = file === '' ? undefined : recordingPath(file, options.recordingDirectory)
  if (recording?.ok === false) return recording
  const start = (): RunningRule => {
    const controller = new AbortController()
    const recorder =
      recording === undefined
        ? undefined
        : startRecording({ path: recording.path, maxBytes: options.maxRecordingBytes, log: deps.log })
    const uplink = new Uplink(
      {
        id,
        feed: stream,
        destination,
        token: token === '' ? undefined : fixedToken(token),
        delivery: options.deliveryOf(stream),
        limits: options.limits,
        recorder,
      },
      deps,
    )
    deps.uplinks.add(uplink)
    const finished = uplink.run(controller.signal).finally(() => deps.uplinks.delete(uplink))
    return {
      stop: async () => {
        controller.abort()
        await finished
      },
    }
  }
  return { ok: true, start }
}
