import { setFlagsFromString } from 'node:v8'
import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { agentProgram } from '../../agent/src/program.ts'

// As agent/src/main.ts, for a program of one file: that can only be a script, where nothing may be awaited at the top.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--optimize-for-size')
void runMain((argv, process) => runProgram(agentProgram('v0.2'), argv, process))
