import { runMain, runProgram } from '@relay/common/command-line'
import { sessionProgram } from './session-program.ts'

await runMain((argv, process) => runProgram(sessionProgram, argv, process))
