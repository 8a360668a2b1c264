import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findProgram } from '../src/video/find-program.ts'

const directory = mkdtempSync(join(tmpdir(), 'programs-'))
afterAll(() => rmSync(directory, { recursive: true }))
mkdirSync(join(directory, 'a/tool'), { recursive: true })
mkdirSync(join(directory, 'b'))
writeFileSync(join(directory, 'b/tool'), '', { mode: 0o755 })
writeFileSync(join(directory, 'b/text'), '', { mode: 0o644 })
const path = ['', join(directory, 'a'), join(directory, 'b')].join(delimiter)

test('a program is a file that can be run, and no folder', () => {
  expect(findProgram('tool', path)).toBe(join(directory, 'b/tool'))
  expect(findProgram(join(directory, 'b/tool'), undefined)).toBe(join(directory, 'b/tool'))
  expect([findProgram('', path), findProgram('text', path), findProgram(join(directory, 'a'), path)]).toEqual(
    [undefined, undefined, undefined],
  )
})
