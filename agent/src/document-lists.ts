import { schemaFacts, settingsOf } from '@relay/common/config/settings'
import type { TObject } from 'typebox'

/** The keys of one item of a list of the configuration, as a Markdown table for the README; a test compares the two. */
export function itemTable(schema: TObject): string {
  const required = new Set<string>(schema.required)
  const rows = settingsOf({ program: '', envPrefix: '', schema }).map(
    ({ path, typeText, defaultText, description }) => {
      const key = path.join('.')
      const isRequired = required.has(key) && schemaFacts(schema.properties[key] ?? {}).default === undefined
      const shown = isRequired ? '(required)' : quoted(defaultText)
      return `| \`${key}\` | ${escaped(typeText)} | ${shown} | ${escaped(description)} |`
    },
  )
  return ['| key | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function quoted(text: string): string {
  return text === '' ? '' : `\`${text}\``
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
