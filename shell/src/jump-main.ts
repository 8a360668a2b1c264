import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { jumpProgram } from './jump-program.ts'

await runMain((argv, process) => runProgram(jumpProgram, argv, process))
