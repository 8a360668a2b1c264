import type { Setting } from '@relay/common/config/settings'
import { wrapped } from './control-file.ts'

/**
 * A commented example as the configuration file of a fresh installation: every setting is there to be read, none is in
 * force. What the example says of itself, up to the first blank line, gives way to `heading`. Pure.
 */
export function commentedOut(example: string, heading: string): string {
  const settings = example.slice(example.indexOf('\n\n') + 1)
  const lines = settings
    .split('\n')
    .map((line) => (line.trim() === '' || /^\s*#/.test(line) ? line : `#${line}`))
  return `${headingLines(heading)}\n${lines.join('\n').trimEnd()}\n`
}

/**
 * The settings of a program as a YAML file in which each is commented out, apart from those of `active`: keys with dots,
 * and their values as YAML. Pure.
 */
export function settingsFile(
  settings: readonly Setting[],
  { heading, active }: { readonly heading: string; readonly active: Readonly<Record<string, string>> },
): string {
  const lines = [headingLines(heading)]
  let section = ''
  for (const { path, description, typeText, defaultText, secret } of settings) {
    // Such a value has no place in a file that everybody reads.
    if (secret) continue
    const parent = path.slice(0, -1).join('.')
    if (parent !== section && parent !== '') lines.push('', `#${parent}:`)
    section = parent
    const indent = '  '.repeat(path.length - 1)
    const about = `${description} (${typeText}${defaultText === '' ? '' : `; default ${defaultText}`})`
    lines.push('', ...wrapped(about, 108 - indent.length).map((line) => `${indent}# ${line}`))
    const value = active[path.join('.')]
    lines.push(`${value === undefined ? '#' : ''}${indent}${path.at(-1)}: ${value ?? ''}`.trimEnd())
  }
  return `${lines.join('\n')}\n`
}

function headingLines(heading: string): string {
  return wrapped(heading, 110)
    .map((line) => `# ${line}`)
    .join('\n')
}
