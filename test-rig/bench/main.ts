import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { benchProgram } from './bench-program.ts'

await runMain((argv, process) => runProgram(benchProgram, argv, process))
