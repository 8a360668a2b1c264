import type { Finding } from '../check-config.ts'
import type { AgentConfig, CameraConfig } from '../config.ts'
import { canWatchPicture, needsDevice, testTone } from './encoder-presets.ts'

/** Thumbnails come once a second: a shorter time would be judged by one of them. */
const shortestFaultAfterMs = 2_000

/** What does not fit together in the settings of cameras beyond their pictures: sound, watch, recovery. Pure. */
export function checkCameras({ cameras }: AgentConfig): readonly Finding[] {
  return cameras.flatMap((camera, index) => {
    const pointer = `/cameras/${index}`
    return [
      ...checkFormat(camera, pointer),
      ...checkPicture(camera, pointer),
      ...checkAudio(camera, pointer, cameras.slice(0, index)),
      ...checkRecovery(camera, pointer),
    ]
  })
}

function checkFormat({ preset, inputFormat }: CameraConfig, pointer: string): readonly Finding[] {
  if (inputFormat === '') return []
  if (!needsDevice(preset))
    return [{ pointer: `${pointer}/inputFormat`, what: `the preset ${preset} asks no camera for a format` }]
  if (preset === 'h264-copy' && inputFormat !== 'h264')
    return [{ pointer: `${pointer}/inputFormat`, what: 'the preset h264-copy takes nothing but h264' }]
  return []
}

function checkPicture({ preset, picture }: CameraConfig, pointer: string): readonly Finding[] {
  const findings: Finding[] = []
  if (picture.faultAfter < shortestFaultAfterMs)
    findings.push({
      pointer: `${pointer}/picture/faultAfter`,
      what: 'the picture is looked at once a second; take 2s or more',
    })
  if (picture.whenFrozen === 'recover' && !(picture.watch && canWatchPicture(preset)))
    findings.push({
      pointer: `${pointer}/picture/whenFrozen`,
      what: picture.watch
        ? `the preset ${preset} decodes no picture that could be looked at`
        : 'with picture.watch false nobody sees that it is frozen',
    })
  return findings
}

function checkAudio(
  { preset, audio }: CameraConfig,
  pointer: string,
  earlier: readonly CameraConfig[],
): readonly Finding[] {
  if (audio.device === '') return []
  const place = `${pointer}/audio/device`
  if (preset === 'custom')
    return [{ pointer: place, what: 'the preset custom takes sound by its own arguments' }]
  if (audio.device === testTone) return []
  const other = earlier.findIndex((camera) => camera.audio.device === audio.device)
  return other < 0
    ? []
    : [{ pointer: place, what: `"${audio.device}" is the microphone of cameras[${other}] already` }]
}

function checkRecovery({ preset, recovery }: CameraConfig, pointer: string): readonly Finding[] {
  if (recovery.upTo !== 'restart' && !needsDevice(preset))
    return [
      {
        pointer: `${pointer}/recovery/upTo`,
        what: `the preset ${preset} names no device that could be reset`,
      },
    ]
  if (recovery.sharedHub && recovery.upTo !== 'port-power')
    return [
      {
        pointer: `${pointer}/recovery/sharedHub`,
        what: 'it means something only with recovery.upTo port-power',
      },
    ]
  return []
}
