#!/usr/bin/env node
import { launch } from '@relay/common/launch'

// `relay host` of the later generation is the agent's local API: another program of the same checkout.
const entry = process.argv[2] === 'host' ? '../../agent/src/relay-host-main.ts' : '../src/main.ts'
await launch(new URL(entry, import.meta.url).href)
