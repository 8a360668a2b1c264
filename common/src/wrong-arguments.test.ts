import { describe, expect, test } from 'vitest'
import { explainFinding, onlyCommand, refuseWrongArguments } from './wrong-arguments.ts'

const single = {
  program: 'lab',
  commands: [{ usage: '$0', options: { quick: { type: 'boolean' }, port: { type: 'number' } } }],
} as const
const several = { program: 'relay', commands: [{ usage: 'serve' }, { usage: 'deny <bid>' }] } as const

describe('a program that does one thing', () => {
  test.each([[[]], [['--port', '1']], [['--quick']], [['--help']], [['--no-quick', '--port=0']]])(
    'takes %j, as no command is wanted',
    (argv) => {
      expect(() => refuseWrongArguments(argv, single)).not.toThrow()
    },
  )

  test.each([
    [['extra'], '"extra" is one argument too many'],
    [['--quick=maybe'], '--quick: "maybe" is not true or false'],
    [['--no-port'], '--port has a value, so --no-port means nothing'],
  ])('refuses %j', (argv, sentence) => {
    expect(() => refuseWrongArguments(argv, single)).toThrow(sentence)
  })

  test('is told apart from one with commands', () => {
    expect(onlyCommand(single)).toBe(single.commands[0])
    expect(onlyCommand(several)).toBeUndefined()
    expect(() => refuseWrongArguments([], several)).toThrow('a command is missing; there are serve, deny')
  })
})

describe('a program with commands', () => {
  test.each([
    [['--help']],
    [['-h']],
    [['--version']],
    [['help']],
    [['--port']],
    [['--port=1', 'serve']],
    [['serve', '--help']],
  ])('takes %j', (argv) => {
    expect(() => refuseWrongArguments(argv, several)).not.toThrow()
  })

  test.each([
    [['--port=1', 'serve'], '--port'],
    [['-x', '1', 'deny'], '-x'],
  ])('explains what the parser finds in %j: a command comes first', (argv, name) => {
    expect(explainFinding('a command is missing', argv, several)).toBe(
      `a command comes first, and ${name} behind it`,
    )
  })
})
