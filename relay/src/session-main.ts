import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { sessionProgram } from './session-program.ts'

await runMain((argv, process) => runProgram(sessionProgram, argv, process))
