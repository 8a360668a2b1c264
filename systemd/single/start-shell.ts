import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { shellProgram } from '../../shell/src/shell-program.ts'

// As shell/src/main.ts, for a program of one file: that can only be a script, where nothing may be awaited at the top.
void runMain((argv, process) => runProgram(shellProgram, argv, process))
