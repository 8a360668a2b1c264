import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A library that is part of a package, with the terms under which it may be. */
export interface Licensed {
  readonly name: string
  readonly version: string
  /** As its package.json names it. */
  readonly licence: string
  /** Its licence files, word for word. */
  readonly texts: readonly string[]
}

/** Reads the licences of npm packages by their folders. */
export async function licencesOf(folders: readonly string[], checkout: string): Promise<readonly Licensed[]> {
  const found = await Promise.all(folders.map((folder) => licenceOf(join(checkout, folder))))
  return found.toSorted((a, b) => compare(`${a.name} ${a.version}`, `${b.name} ${b.version}`))
}

async function licenceOf(folder: string): Promise<Licensed> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly version: string
    readonly license?: string
    readonly author?: string | { readonly name?: string }
  }
  const files = (await readdir(folder))
    .filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name))
    .toSorted()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  const { license, author } = manifest
  if (license === undefined && texts.length === 0) {
    throw new Error(`${manifest.name} ${manifest.version} says nowhere under which terms it may be passed on`)
  }
  const by = typeof author === 'object' ? author.name : author
  return {
    name: manifest.name,
    version: manifest.version,
    licence: license ?? 'see below',
    texts:
      texts.length > 0
        ? texts
        : [`Copyright ${by ?? `the authors of ${manifest.name}`}\nLicence: ${license}`],
  }
}

/** `/usr/share/doc/<package>/copyright`. Pure. */
export function copyrightFile(
  libraries: readonly Licensed[],
  node: { readonly version: string; readonly text: string },
): string {
  const rule = '-'.repeat(78)
  return [
    'Relay: Copyright the Relay maintainers.',
    '',
    'Licensed under the Apache License, Version 2.0. On Debian systems its full text',
    'is in /usr/share/common-licenses/Apache-2.0. It comes without any warranty.',
    '',
    'These libraries are part of its bundles and add-ons:',
    '',
    ...libraries.map(({ name, version, licence }) => `  ${name} ${version}: ${licence}`),
    '',
    `The program bin/node is Node.js ${node.version}. All terms stand below.`,
    '',
    ...libraries.flatMap(({ name, version, texts }) => [
      rule,
      `${name} ${version}`,
      rule,
      '',
      ...texts.map(tidy),
      '',
    ]),
    rule,
    `Node.js ${node.version}`,
    rule,
    '',
    tidy(node.text),
    '',
  ].join('\n')
}

function tidy(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd()
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
