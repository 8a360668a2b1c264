import { runMain, runProgram } from '@relay/common/command-line'
import { benchProgram } from './bench-program.ts'

await runMain((argv, process) => runProgram(benchProgram, argv, process))
