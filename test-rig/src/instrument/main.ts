import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { instrumentProgram } from './instrument-program.ts'

await runMain((argv, process) => runProgram(instrumentProgram, argv, process))
