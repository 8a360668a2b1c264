import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DebianArchitecture, PackageName } from '../debian/package-definition.ts'

const directory = join(import.meta.dirname, '../../dist/packages')

/**
 * The package that was built last. The gate builds them before the tests; whoever runs a test alone does it himself.
 * @throws where there is none.
 */
export function builtPackage(name: PackageName, architecture: DebianArchitecture): string {
  const [file, other] = filesIn(directory).filter(
    (entry) => entry.startsWith(`${name}_`) && entry.endsWith(`_${architecture}.deb`),
  )
  if (file === undefined) {
    throw new Error(`dist/packages has no ${name} for ${architecture}: run "npm run package" first`)
  }
  if (other !== undefined) throw new Error(`dist/packages has both ${file} and ${other}: remove one`)
  return join(directory, file)
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
