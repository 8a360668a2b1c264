import { maintainer, wrapped } from './control-file.ts'
import type { PackageName } from './package-definition.ts'

export interface ChangelogFacts {
  readonly name: PackageName
  /** Of this build. */
  readonly version: string
  readonly sourceDateEpoch: number
  /** CHANGELOG.md. */
  readonly markdown: string
}

interface Release {
  /** As the heading says it: `Unreleased`, or `0.2.0 - 2027-01-31`. */
  readonly heading: string
  readonly items: readonly string[]
}

/**
 * CHANGELOG.md in Debian's form, newest first. The top entry is this build; below it come the releases before it, with
 * the dates of their headings. Pure.
 */
export function debianChangelog({ name, version, sourceDateEpoch, markdown }: ChangelogFacts): string {
  const entries: string[] = []
  for (const [index, { heading, items }] of releasesOf(markdown).entries()) {
    const [, number, date] = /^v?(\d[^\s]*)\s*(?:-|–|\()?\s*(\d{4}-\d{2}-\d{2})?/.exec(heading) ?? []
    const time = index === 0 || date === undefined ? sourceDateEpoch : Date.parse(`${date}T12:00:00Z`) / 1000
    entries.push(entry({ name, version: index === 0 ? version : (number ?? version), time, items }))
  }
  return entries.join('\n')
}

function entry({
  name,
  version,
  time,
  items,
}: {
  readonly name: string
  readonly version: string
  readonly time: number
  readonly items: readonly string[]
}): string {
  const lines = items.flatMap((item) =>
    wrapped(item, 74).map((line, index) => (index === 0 ? `  * ${line}` : `    ${line}`)),
  )
  const text = lines.length === 0 ? ['  * A build without a note of its own.'] : lines
  return [
    `${name} (${version}) stable; urgency=medium`,
    '',
    ...text,
    '',
    ` -- ${maintainer}  ${new Date(time * 1000).toUTCString().replace('GMT', '+0000')}`,
    '',
  ].join('\n')
}

function releasesOf(markdown: string): readonly Release[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n')
      return { heading: heading.trim(), items: itemsOf(lines) }
    })
}

/** List items with the lines that continue them; headings between them say for whom, and are left out. */
function itemsOf(lines: readonly string[]): readonly string[] {
  const items: string[] = []
  let isInItem = false
  for (const line of lines) {
    if (/^[-*] /.test(line)) {
      items.push(plain(line.slice(2)))
      isInItem = true
    } else if (isInItem && /^\s+\S/.test(line)) items.push(`${items.pop() ?? ''} ${plain(line.trim())}`)
    else isInItem = false
  }
  return items
}

function plain(markdown: string): string {
  return markdown
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replaceAll('**', '')
}
