import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { journalWriter } from './journal.ts'

/** Of no file. */
const closedFd = 1_000_000

function journal() {
  const sent: string[] = []
  const answer = { errno: 0 }
  const write = journalWriter({
    program: 'agent',
    send: (_path, text) => {
      if (answer.errno === 0) sent.push(/^MESSAGE=(.*)$/m.exec(text)?.[1] ?? '')
      return answer.errno
    },
  })
  const tell = (msg: string): boolean => {
    const line = Buffer.from(`${JSON.stringify({ level: 'info', msg })}\n`)
    return write(closedFd, line) === line.length
  }
  return { sent, answer, tell }
}

test('a journal that is busy takes the same line later', () => {
  const { sent, answer, tell } = journal()
  answer.errno = constants.errno.EAGAIN
  expect(tell('one')).toBe(false)

  answer.errno = 0
  expect(tell('one')).toBe(true)

  expect(sent).toEqual(['one'])
})

test('lines are lost and counted while journal and stream are both gone, and go on when the journal is back', () => {
  const { sent, answer, tell } = journal()
  answer.errno = constants.errno.ECONNREFUSED
  expect([tell('one'), tell('two')]).toEqual([true, true])

  answer.errno = 0
  expect([tell('three'), tell('four')]).toEqual([true, true])

  expect(sent).toEqual(['log lines were lost, the journal was away (lines=2)', 'three', 'four'])
})
