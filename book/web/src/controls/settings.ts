import { type Controls, readControls } from './controls-model.ts'

/** What the experiment's settings (`config` in the link) say to this page; everything in them is optional. */
export interface Settings {
  readonly name: string | undefined
  /** Undefined where the settings leave the controls to the instrument. */
  readonly controls: Controls | undefined
  /** False for firmware that must not be asked for a description. */
  readonly mayDescribe: boolean
  /** False for firmware that must not be pinged. */
  readonly mayPing: boolean
}

export const noSettings: Settings = {
  name: undefined,
  controls: undefined,
  mayDescribe: true,
  mayPing: true,
}

/**
 * Reads the settings file of an experiment (booking spec 7): of the fields known there only `name` matters here; ours
 * are `controls`, `stop`, `start` as in {@link readControls}, and `describe: false`, `ping: false`. Undefined where the
 * text is no JSON object.
 */
export function readSettings(text: string): Settings | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { name, controls, describe, ping } = value as Record<string, unknown>
  return {
    name: typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, 80) : undefined,
    controls: Array.isArray(controls) ? readControls(value).controls : undefined,
    mayDescribe: describe !== false && !Array.isArray(controls),
    mayPing: ping !== false,
  }
}
