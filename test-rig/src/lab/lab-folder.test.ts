import { expect, test } from 'vitest'
import { ownerOfFolder } from './lab-folder.ts'

test.each([
  ['relay-lab-1234-aB3dE9', 1234],
  ['relay-lab-1234', undefined],
  ['relay-lab--aB3dE9', undefined],
  ['relay-lab-0-aB3dE9', undefined],
  ['relay-lab-12-aB3dE9-x', undefined],
  ['my-relay-lab-12-aB3dE9', undefined],
  ['relay-lab-12-../../a', undefined],
])('the folder %s was made by process %s', (name, pid) => {
  expect(ownerOfFolder(name)).toBe(pid)
})
