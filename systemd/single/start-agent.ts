import { setFlagsFromString } from 'node:v8'
import { runProgram } from '@relay/common/command-line'
import { runMain } from '@relay/common/run-main'
import { v8Flags } from '../../agent/src/node-flags.ts'
import { agentProgram } from '../../agent/src/program.ts'

// As agent/src/main.ts, for a program of one file: that can only be a script, where nothing may be awaited at the top.
for (const flag of v8Flags) setFlagsFromString(flag)
void runMain((argv, process) => runProgram(agentProgram('v0.2'), argv, process))
