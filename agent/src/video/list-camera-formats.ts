import { type Clock, systemClock } from '@relay/common/clock'
import { type CameraFormat, parseFfmpegFormats, parseV4l2CtlFormats } from './camera-formats.ts'
import { findProgram } from './find-program.ts'
import { runTool, type ToolResult } from './run-tool.ts'

export interface FormatQuestion {
  /** Name or path of ffmpeg: `video.ffmpeg` of the configuration. */
  readonly ffmpeg: string
  /** `PATH` of the environment. */
  readonly searchPath: string | undefined
  readonly signal: AbortSignal
  /** Default 3 s, for each of the tools that are asked. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

export type FormatAnswer =
  | { readonly ok: true; readonly formats: readonly CameraFormat[] }
  /** One clause for people. */
  | { readonly ok: false; readonly reason: string }

/**
 * What a V4L2 camera offers, by `v4l2-ctl` or, where that is missing or has nothing to say, by ffmpeg. Takes no
 * picture, so that a camera in use can be asked too. Never rejects, and ends within twice `timeoutMs`.
 */
export async function listCameraFormats(device: string, question: FormatQuestion): Promise<FormatAnswer> {
  const { ffmpeg, searchPath, signal, timeoutMs = 3_000, clock = systemClock } = question
  const limits = { timeoutMs, signal, clock }
  let reason = 'neither v4l2-ctl (apt install v4l-utils) nor ffmpeg is installed'
  const v4l2Ctl = findProgram('v4l2-ctl', searchPath)
  if (v4l2Ctl !== undefined) {
    const result = await runTool({ file: v4l2Ctl, args: ['-d', device, '--list-formats-ext'] }, limits)
    const formats = parseV4l2CtlFormats(result.stdout)
    if (formats.length > 0) return { ok: true, formats }
    reason = whyNothing('v4l2-ctl', result)
  }
  const ffmpegFile = findProgram(ffmpeg, searchPath)
  if (ffmpegFile !== undefined && !signal.aborted) {
    const args = ['-hide_banner', '-nostdin', '-f', 'v4l2', '-list_formats', 'all', '-i', device]
    const result = await runTool({ file: ffmpegFile, args }, limits)
    const formats = parseFfmpegFormats(result.stderr)
    if (formats.length > 0) return { ok: true, formats }
    reason = whyNothing('ffmpeg', result)
  }
  return { ok: false, reason }
}

function whyNothing(tool: string, { outcome, stdout, stderr }: ToolResult): string {
  if (outcome === 'timed out') return `${tool} gave no answer in time`
  if (outcome !== 'ended') return `${tool} was ${outcome}`
  const last = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '')
  return last === undefined ? `${tool} lists no formats` : `${tool} said: ${last.slice(0, 200)}`
}
