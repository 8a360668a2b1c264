import type { AgentStatus } from './agent-status.ts'
import type { Fault } from './fault.ts'

type Part = {
  readonly cells: readonly [kind: string, name: string, state: string, figures: string]
  readonly notes: readonly string[]
}

/** The status as a short table for people: a line for each part, and below it what went wrong with it. Pure. */
export function statusText(status: AgentStatus, nowMs: number): string {
  const parts = partsOf(status, nowMs)
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...parts.map(({ cells }) => cells[column]?.length ?? 0)),
  )
  const lines: string[] = []
  for (const { cells, notes } of parts) {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0))
    lines.push(padded.join('  ').trimEnd())
    for (const note of notes) lines.push(`  ${note}`)
  }
  const title = status.name === '' ? [] : [status.name]
  const text = lines.length === 0 ? ['nothing is configured'] : lines
  return `${[...title, ...text].map(printable).join('\n')}\n`
}

function partsOf({ cameras, instruments, uplinks, localApi }: AgentStatus, nowMs: number): readonly Part[] {
  return [
    ...cameras.map(
      ({ name, state, feed, frames, restarts, fault, stderr }): Part => ({
        cells: ['camera', name, state, `feed ${feed}, frames ${frames}, restarts ${restarts}`],
        notes: [...faultNotes(fault, nowMs), ...stderr.map((line) => `ffmpeg: ${line}`)],
      }),
    ),
    ...instruments.map(
      (it): Part => ({
        cells: [
          'instrument',
          it.name,
          it.state,
          `feed ${it.feed}, read ${it.receivedMessages}, written ${it.writtenMessages}, dropped ${it.droppedCommands}, reopened ${it.reopens}`,
        ],
        notes: [
          ...(it.cutLines + it.repairedLines + it.skippedBytes === 0
            ? []
            : [`lines cut ${it.cutLines}, repaired ${it.repairedLines}, bytes skipped ${it.skippedBytes}`]),
          ...faultNotes(it.fault, nowMs),
        ],
      }),
    ),
    ...uplinks.map(
      (it): Part => ({
        cells: [
          'uplink',
          it.id,
          it.state.kind,
          [
            `feed ${it.feed}`,
            ...(it.roundTripMs === undefined ? [] : [`round trip ${it.roundTripMs.toFixed(0)} ms`]),
            `sent ${it.sentMessages}, received ${it.receivedMessages}`,
            `dropped ${it.droppedLiveMessages + it.droppedQueuedMessages}, waiting ${it.queuedMessages}`,
          ].join(', '),
        ],
        notes: [`to ${it.destination}`, ...faultNotes(it.fault, nowMs)],
      }),
    ),
    ...(localApi === undefined
      ? []
      : [
          {
            cells: [
              'local API',
              '',
              'served',
              `uploads ${localApi.uploads.length}, websockets ${localApi.clients.length}, refused ${localApi.refusedRequests}, dropped ${localApi.droppedMessages}`,
            ],
            notes: [],
          } satisfies Part,
        ]),
  ]
}

function faultNotes(fault: Fault | undefined, nowMs: number): readonly string[] {
  if (fault === undefined) return []
  const agoSec = Math.max(0, Math.round((nowMs - fault.atMs) / 1000))
  return [`${fault.code} ${agoSec} s ago: ${fault.message}`]
}

function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
  return line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
