import type { DebianArchitecture, PackageDefinition } from './package-definition.ts'

/** Whom apt names. An installation that passes packages on puts its own address here. */
export const maintainer = 'Relay maintainers <maintainers@relay.example.org>'

/** The control file of a binary package. Pure. */
export function controlFile(
  definition: PackageDefinition,
  facts: {
    readonly version: string
    readonly architecture: DebianArchitecture
    /** Of all files, as they lie on a disk. */
    readonly installedKib: number
  },
): string {
  const { name, depends, recommends, suggests, synopsis, description } = definition
  return [
    `Package: ${name}`,
    `Version: ${facts.version}`,
    `Architecture: ${facts.architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${facts.installedKib}`,
    `Depends: ${depends.join(', ')}`,
    `Recommends: ${recommends.join(', ')}`,
    `Suggests: ${suggests.join(', ')}`,
    'Section: net',
    'Priority: optional',
    `Description: ${synopsis}`,
    description
      .map((paragraph) =>
        wrapped(paragraph, 78)
          .map((line) => ` ${line}`)
          .join('\n'),
      )
      .join('\n .\n'),
    '',
  ].join('\n')
}

/** Breaks a text at blanks into lines of at most `width`; a longer word stands alone. Pure. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}
