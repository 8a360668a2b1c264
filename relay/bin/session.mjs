#!/usr/bin/env node
import { launch } from '@relay/common/launch'

// The name and variables of practable/relay v0.2.2: `session relay | token` is our relay, `session host` our agent.
const entry = process.argv[2] === 'host' ? '../../agent/src/main.ts' : '../src/session-main.ts'
await launch(new URL(entry, import.meta.url).href)
