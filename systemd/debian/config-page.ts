import { schemaFacts, settingsOf } from '@relay/common/config/settings'
import type { TObject } from 'typebox'
import { escapedMacro, manDate, manText } from './man-text.ts'

export interface ConfigPageFacts {
  /** Of the page, such as `relay-agent.yaml`. */
  readonly name: string
  readonly path: string
  readonly about: string
  /** Whose configuration it is. */
  readonly program: string
  readonly sourceDateEpoch: number
  /** By which the file is checked. */
  readonly schema: TObject
}

/** The manual page of a configuration file, section 5, in mdoc(7): every key of its schema, lists included. Pure. */
export function configPage({ name, path, about, program, sourceDateEpoch, schema }: ConfigPageFacts): string {
  return [
    `.Dd ${manDate(sourceDateEpoch)}`,
    `.Dt ${name.toUpperCase()} 5`,
    '.Os',
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${escapedMacro(about)}`,
    '.Sh DESCRIPTION',
    ...manText(
      'A file in YAML. A key with dots stands inside the keys before each dot. Unknown keys are refused. Durations are written 500ms, 30s or 5m, sizes 64KiB or 1MiB. Environment and arguments of the program come before the file.',
    ),
    ...keysOf(schema),
    ...listsOf(schema, '').flatMap(listSection),
    '.Sh FILES',
    '.Bl -tag -width Ds',
    `.It Pa ${escapedMacro(path)}`,
    '.El',
    '.Sh SEE ALSO',
    `.Xr ${program} 1`,
    '',
  ].join('\n')
}

interface ListOfObjects {
  readonly key: string
  readonly about: string
  readonly item: TObject
}

/** The lists of objects in a schema, and the lists inside their items, each by its key from the root. */
function listsOf(schema: TObject, prefix: string): readonly ListOfObjects[] {
  const lists: ListOfObjects[] = []
  for (const [key, child] of Object.entries(schema.properties)) {
    const { items, description = '' } = schemaFacts(child)
    if (items?.type !== 'object') continue
    const item = items as unknown as TObject
    lists.push({ key: `${prefix}${key}`, about: description, item }, ...listsOf(item, `${prefix}${key}[].`))
  }
  return lists
}

function listSection({ key, about, item }: ListOfObjects): readonly string[] {
  const heading = [`.Ss ${escapedMacro(key)}`, ...manText(`A list: ${about}. The keys of an item are:`)]
  return [...heading, ...keysOf(item)]
}

function keysOf(schema: TObject): readonly string[] {
  const items = settingsOf({ program: '', envPrefix: '', schema }).map(
    ({ path, typeText, defaultText, description }) => {
      const lines = [`.It Cm ${escapedMacro(path.join('.'))} : Ar ${escapedMacro(typeText)}`]
      lines.push(...manText(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`))
      if (defaultText !== '') lines.push(...manText(`Default: ${defaultText}.`))
      return lines
    },
  )
  return ['.Bl -tag -width Ds', ...items.flat(), '.El']
}
