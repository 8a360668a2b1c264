import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { nodeBinary } from './npm-packages.mjs'
import { checkout, exitCodeOf } from './run-command.mjs'

const staticChecks = [
  { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types of the page', command: 'tsc', args: ['-p', 'book/web/tsconfig.json'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'biome', args: ['format', '.'] },
]
/** What the tests take as it is shipped. Asked for late: before the npm packages are there, no pinned Node is found. */
const builds = () => [
  { name: 'web page', command: 'vite', args: ['build', 'book/web', '--logLevel', 'warn'] },
  { name: 'packages', command: nodeBinary(), args: ['systemd/debian/main.ts'] },
]

/**
 * The gate: static checks, the page and the packages, then tests. `quick` keeps to what runs in well under a minute. Ends
 * with the line `N passed, N failed, N skipped`, in which each static check counts as one.
 * @returns the exit code.
 */
export async function runGate({ quick, args }) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const check of quick ? staticChecks : [...staticChecks, ...builds()]) {
    const startedAt = Date.now()
    const code = await exitCodeOf(check.command, check.args)
    const verdict = code === 0 ? 'ok' : `FAILED (exit code ${code})`
    console.log(`${check.name}: ${verdict}, ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)
    counts[code === 0 ? 'passed' : 'failed'] += 1
  }
  const code = await runTests(counts, quick, args)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts.failed === 0 && code === 0 ? 0 : 1
}

async function runTests(counts, quick, args) {
  const output = join(checkout, 'test-output')
  const report = join(output, 'vitest.json')
  mkdirSync(output, { recursive: true })
  rmSync(report, { force: true })
  const vitest = join(checkout, 'node_modules', 'vitest', 'vitest.mjs')
  const projects = quick ? ['--project', 'unit'] : []
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const code = await exitCodeOf(nodeBinary(), [vitest, 'run', ...projects, ...reporters, ...args])
  addResults(counts, report, code)
  return code
}

function addResults(counts, report, code) {
  let result
  try {
    result = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    console.error('the test runner left no report')
    counts.failed += 1
    return
  }
  counts.passed += result.numPassedTests
  counts.failed += result.numFailedTests
  counts.skipped += result.numPendingTests + result.numTodoTests
  for (const line of skippedLines(result)) console.log(line)
  // A file that does not even load, or an error outside of any test, fails the run without failing a test.
  if (code !== 0 && result.numFailedTests === 0) counts.failed += 1
}

/**
 * What was skipped, in the words of the suite or test that end with the reason: the reporter of vitest names only what
 * failed. Pure.
 */
export function skippedLines(result) {
  const counts = new Map()
  for (const { name, assertionResults } of result.testResults) {
    for (const { status, ancestorTitles, title } of assertionResults) {
      if (!['pending', 'skipped', 'todo', 'disabled'].includes(status)) continue
      const titles = [...ancestorTitles, title]
      const saying = titles.find((each) => each.includes('(skipped: ')) ?? titles.join(' > ')
      const what = `${relative(checkout, name)}: ${saying}`
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
  }
  return [...counts].map(([what, count]) => `skipped ${count}: ${what}`)
}
