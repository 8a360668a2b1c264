#!/usr/bin/env node
import { launch } from '@relay/common/launch'

await launch(new URL('../src/main.ts', import.meta.url).href)
