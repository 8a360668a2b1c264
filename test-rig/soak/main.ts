import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { soakProgram } from './soak-program.ts'

await runMain((argv, process) => runProgram(soakProgram, argv, process))
