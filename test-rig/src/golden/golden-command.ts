import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exitCode, UsageError } from '@relay/common/errors'
import yargs from 'yargs'
import type { GoldenCase } from './golden-case.ts'
import { commandsOf, ownCommands, type ProgramCommands } from './program-commands.ts'
import { describeFailures, planReplay, Replay } from './replay.ts'
import { loadCases } from './step-grammar.ts'

const goldenFile = fileURLToPath(new URL('../../fixtures/golden/session.json', import.meta.url))
const defaultConcurrency = 4

interface Arguments {
  readonly file: string
  readonly case: readonly string[] | undefined
  readonly generation: string | undefined
  readonly role: string | undefined
  readonly against: string | undefined
  readonly failures: string | undefined
  readonly concurrency: number
  readonly list: boolean
}

/** The arguments, or the help text when that was asked for. Throws `UsageError` for anything else. */
function parseArguments(words: readonly string[]): Arguments | string {
  let help = ''
  const parsed = yargs()
    .scriptName('golden')
    .usage('$0: replays transcripts of the old programs against ours')
    .options({
      file: {
        type: 'string',
        default: goldenFile,
        defaultDescription: 'the transcripts of the session side',
        describe: 'file of cases',
        requiresArg: true,
      },
      case: {
        type: 'string',
        array: true,
        describe: 'only cases whose name contains this text',
        requiresArg: true,
      },
      generation: {
        choices: ['v0.2.2', 'v0.9.3'],
        describe: 'only cases of this generation',
        requiresArg: true,
      },
      role: {
        choices: ['relay', 'host', 'token'],
        describe: 'only cases that need this program',
        requiresArg: true,
      },
      against: {
        type: 'string',
        describe:
          'replay against this command with the old subcommands, and expect what the old program does',
        requiresArg: true,
      },
      failures: { type: 'string', describe: 'also write the failures to this file', requiresArg: true },
      concurrency: {
        type: 'number',
        default: defaultConcurrency,
        describe: 'cases at a time',
        requiresArg: true,
      },
      list: { type: 'boolean', default: false, describe: 'print the names and end' },
    })
    .check(({ concurrency, against, generation }) => {
      if (against !== undefined && generation === undefined) {
        throw new UsageError('--against needs --generation: one command stands in for one generation')
      }
      if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 16) return true
      throw new UsageError('--concurrency must be a whole number from 1 to 16')
    })
    .locale('en')
    .version(false)
    .strict()
    .demandCommand(0, 0)
    .exitProcess(false)
    .fail((message, error) => {
      throw error instanceof UsageError ? error : new UsageError(message.replaceAll(/\s*\n\s*/g, ' '))
    })
    .wrap(110)
    .parseSync([...words], {}, (_error, _parsed, output) => {
      help = output
    })
  return help === '' ? parsed : help
}

function selectCases({ file, case: texts, generation, role }: Arguments): readonly GoldenCase[] {
  const needs = (golden: GoldenCase): boolean => {
    if (role === undefined) return true
    const isCommand = golden.steps.some((step) => step.do === 'run')
    return role === 'token' ? isCommand : golden.server[role === 'host' ? 'host' : 'relay'] !== undefined
  }
  const cases = loadCases(file).filter(
    (golden) =>
      (texts === undefined || texts.some((text) => golden.name.includes(text))) &&
      (generation === undefined || golden.generation === generation) &&
      needs(golden),
  )
  if (cases.length === 0) throw new UsageError(`no case of ${file} is selected; --list shows the names`)
  return cases
}

/** Replays the cases, `concurrency` at a time, and says how each went as it ends. Returns the texts of failures. */
async function replayAll(cases: readonly GoldenCase[], options: Arguments): Promise<readonly string[]> {
  const commands: ProgramCommands = options.against === undefined ? ownCommands : commandsOf(options.against)
  await using replay = new Replay({ commands, side: options.against === undefined ? 'wanted' : 'reference' })
  const { alone, together } = planReplay(cases)
  const queue = together.values()
  const failed: string[] = []
  const work = async (some: Iterable<GoldenCase>): Promise<void> => {
    for (const golden of some) {
      const failures = await replay.run(golden)
      console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${golden.name}`)
      if (failures.length > 0) failed.push(describeFailures(golden, failures))
    }
  }
  await work(alone)
  await Promise.all(Array.from({ length: options.concurrency }, () => work(queue)))
  return failed
}

/** Replays as the words say. Returns the exit code: 0 when every case passed, 1 when one failed. Throws `UsageError`. */
export async function runGoldenCommand(words: readonly string[]): Promise<number> {
  const options = parseArguments(words)
  if (typeof options === 'string') {
    console.log(options)
    return exitCode.ok
  }
  const cases = selectCases(options)
  if (options.list) {
    console.log(cases.map(({ name }) => name).join('\n'))
    return exitCode.ok
  }
  const failed = await replayAll(cases, options)
  const summary = `${String(cases.length - failed.length)} of ${String(cases.length)} cases passed`
  if (options.failures !== undefined)
    writeFileSync(options.failures, `${[...failed, summary].join('\n\n')}\n`)
  console.log(['', ...failed, summary].join('\n'))
  return failed.length === 0 ? exitCode.ok : exitCode.failed
}
