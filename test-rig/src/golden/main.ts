import { describeError, exitCode, UsageError } from '@relay/common/errors'
import { runGoldenCommand } from './golden-command.ts'

try {
  process.exitCode = await runGoldenCommand(process.argv.slice(2))
} catch (error) {
  console.error(`golden: ${describeError(error)}`)
  process.exitCode = error instanceof UsageError ? exitCode.usage : exitCode.bug
}
