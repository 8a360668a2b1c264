import type { TObject } from 'typebox'
import type { Options } from 'yargs'
import { type ConfigSpec, type SchemaFacts, schemaFacts, settingsOf } from './settings.ts'

/** The settings as options of yargs. Values stay texts: the schema checks them, with everything else. */
export function commandLineOptions(spec: ConfigSpec<TObject>): Record<string, Options> {
  const options: Record<string, Options> = {}
  for (const setting of settingsOf(spec)) {
    if (setting.secret) continue
    const shownDefault = setting.defaultText === '' ? '' : ` (default ${setting.defaultText})`
    options[setting.argument] = {
      describe: `${setting.description}${shownDefault} [${setting.env[0]}]`,
      ...(schemaFacts(setting.schema).type === 'boolean'
        ? { type: 'boolean' }
        : { type: 'string', requiresArg: true }),
    }
  }
  return options
}

/** The settings as a Markdown table for a README; a test compares the two. */
export function settingsTable(spec: ConfigSpec<TObject>): string {
  const rows = settingsOf(spec).map(({ path, argument, env, secret, typeText, defaultText, description }) => {
    const cells = [
      `\`${path.join('.')}\``,
      secret ? '' : `\`--${argument}\``,
      env.map((name) => `\`${name}\``).join(', '),
      typeText.replaceAll('|', '\\|'),
      defaultText === '' ? '' : `\`${defaultText}\``,
      description.replaceAll('|', '\\|'),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| key | argument | environment | type | default | meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The configuration for showing: values of secret settings, also those inside lists, are replaced by `(set)`. */
export function redactedConfig(spec: ConfigSpec<TObject>, config: object): object {
  return redacted(schemaFacts(spec.schema), config) as object
}

function redacted(facts: SchemaFacts, value: unknown): unknown {
  if (facts.secret === true) return value === undefined || value === '' ? value : '(set)'
  if (Array.isArray(value)) return value.map((item) => redacted(facts.items ?? {}, item))
  if (typeof value !== 'object' || value === null) return value
  const properties = facts.properties ?? {}
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const child = Object.hasOwn(properties, key) ? properties[key] : undefined
      return [key, redacted(child === undefined ? {} : schemaFacts(child), item)]
    }),
  )
}
