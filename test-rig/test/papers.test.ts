import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const checkout = join(import.meta.dirname, '..', '..')
const papers = execFileSync('git', ['ls-files', '*.md'], { cwd: checkout, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => !path.includes('fixtures/'))
const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}

/** Papers rot where nobody notices: what they name must be there. */
describe.each(papers)('%s', (paper) => {
  const text = readFileSync(join(checkout, paper), 'utf8')

  test('links only to what is there', () => {
    const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target ?? '')
    const broken = targets.filter(
      (target) => !/^[a-z]+:/.test(target) && !existsSync(join(checkout, dirname(paper), target)),
    )
    expect(broken).toEqual([])
  })

  test('names only files and scripts that are there', () => {
    const files = [
      ...text.matchAll(
        /(?<![\w/-])(?:agent|relay|shell|book|common|test-rig|provisioning)\/[\w./-]+\.(?:m?ts|md|json|yaml)\b/g,
      ),
    ]
    const commands = [...text.matchAll(/npm run ([\w:]+)/g)]
    const missing = [
      ...files
        .map(([file]) => file)
        .filter(
          (file) => !existsSync(join(checkout, file)) && !existsSync(join(checkout, dirname(paper), file)),
        ),
      ...commands.map(([, name]) => name ?? '').filter((name) => !Object.hasOwn(scripts, name)),
    ]
    expect(missing).toEqual([])
  })
})
