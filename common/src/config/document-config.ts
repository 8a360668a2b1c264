import type { TObject } from 'typebox'
import type { Options } from 'yargs'
import { type ConfigSpec, schemaFacts, settingsOf } from './settings.ts'

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
      description,
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| key | argument | environment | type | default | meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The configuration for showing: values of secret settings are replaced by `(set)`. */
export function redactedConfig(spec: ConfigSpec<TObject>, config: object): object {
  const copy = structuredClone(config) as Record<string, unknown>
  for (const { path, secret } of settingsOf(spec)) {
    if (!secret) continue
    let target: Record<string, unknown> | undefined = copy
    for (const key of path.slice(0, -1)) target = target?.[key] as Record<string, unknown> | undefined
    const last = path.at(-1) ?? ''
    if (target !== undefined && target[last] !== undefined && target[last] !== '') target[last] = '(set)'
  }
  return copy
}
