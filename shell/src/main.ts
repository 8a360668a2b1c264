import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { shellProgram } from './shell-program.ts'

await runMain((argv, process) => runProgram(shellProgram, argv, process))
