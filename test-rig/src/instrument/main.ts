import { runMain, runProgram } from '@relay/common/command-line'
import { instrumentProgram } from './instrument-program.ts'

await runMain((argv, process) => runProgram(instrumentProgram, argv, process))
