import type { ImportPlan } from './plan-import.ts'
import type { OldDevice, OldUnit, Remark } from './read-old-device.ts'

export interface ImportStory {
  readonly device: OldDevice
  readonly plan: ImportPlan
  readonly leftOut: readonly Remark[]
  /** Where the configuration stands now, or would stand. */
  readonly output: string
  readonly isDryRun: boolean
  /** There was nothing to take over, and nothing was written. */
  readonly isEmpty: boolean
  /** The old configuration, where there was one. */
  readonly kept: string | undefined
  /** There is a user of the service to whom the tokens were given. */
  readonly hasOwner: boolean
}

/** What was read, taken and left, and what to do next. May show texts of the device: redact before printing. Pure. */
export function importText(story: ImportStory): string {
  const { device, plan, leftOut } = story
  const left = [...device.notUnderstood, ...plan.notTaken, ...leftOut]
  return [
    section('Read', device.read),
    section('Taken over', plan.taken),
    section('Not taken over', left),
    listed('Look at', plan.advice),
    listed('Next', nextSteps(story)),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function section(heading: string, remarks: readonly Remark[]): string {
  return listed(
    heading,
    remarks.map(({ place, what }) => `${place}: ${what}`),
  )
}

function listed(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  return `${heading}\n${[...new Set(lines)].map((line) => `  ${line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')}\n`).join('')}`
}

function nextSteps({ device, output, isDryRun, isEmpty, kept, hasOwner }: ImportStory): readonly string[] {
  if (isEmpty) return []
  if (isDryRun) return ['nothing was written; run this without --dry-run']
  const replaced = device.units.filter(({ isReplaced }) => isReplaced)
  const partly = device.units.filter(({ isReplaced, isTaken }) => isTaken && !isReplaced)
  const others = device.units.filter(({ isTaken }) => !isTaken)
  return [
    ...(kept === undefined ? [] : [`what stood in ${output} is kept as ${kept}`]),
    ...(hasOwner
      ? []
      : [
          `there is no user relay-agent yet: install the package, then "chown -R relay-agent: ${directoryOf(output)}tokens && chgrp relay-agent ${output}"`,
        ]),
    `relay-agent check --config ${output}`,
    ...(replaced.length === 0
      ? []
      : [`systemctl disable --now ${names(replaced)}   (relay-agent does what they did)`]),
    ...partly.map(
      ({ name, foreign }) =>
        `look at ${name} before you disable it: relay-agent does not do what ${foreign.join(', ')} does in it`,
    ),
    ...others.map(({ name }) => `${name} may stay: relay-agent serves the local API that it talks to`),
    'systemctl enable --now relay-agent',
    'sudo relay-agent doctor',
  ]
}

function names(units: readonly OldUnit[]): string {
  return units.map(({ name }) => name).join(' ')
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
