import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { commandLineOptions, redactedConfig, settingsTable } from './document-config.ts'
import { loadConfig } from './load-config.ts'
import { Duration, Section } from './schema.ts'
import { settingsOf } from './settings.ts'

const schema = Section({
  relayUrl: Type.String({ description: 'address of the relay', env: ['RELAY_RELAYFQDN', 'OLD_URL'] }),
  secret: Type.String({ description: 'shared secret', secret: true }),
  logLevel: Type.Enum(['info', 'warn'], { description: 'least level', default: 'info' }),
  debug: Type.Boolean({ description: 'this | that', default: false }),
  access: Section({
    port: Type.Integer({ description: 'port', default: 8082 }),
    idleTimeout: Duration({ description: 'close after', default: '1m' }),
    origins: Type.Array(Type.String(), { description: 'origins', default: ['a', 'b'] }),
    file: Type.String({ description: 'a file', default: '', defaultText: 'in the home directory' }),
  }),
  cameras: Type.Array(Section({ name: Type.String(), password: Type.String({ secret: true }) }), {
    default: [],
  }),
})
const spec = { program: 'relay', envPrefix: 'RELAY', schema }

test('every setting has its names; lists of sections stand in the file only', () => {
  expect(
    settingsOf(spec).map(({ path, argument, env }) => [path.join('.'), argument, env.join(' ')]),
  ).toEqual([
    ['relayUrl', 'relay-url', 'RELAY_RELAY_URL RELAY_RELAYFQDN OLD_URL'],
    ['secret', 'secret', 'RELAY_SECRET'],
    ['logLevel', 'log-level', 'RELAY_LOG_LEVEL'],
    ['debug', 'debug', 'RELAY_DEBUG'],
    ['access.port', 'access-port', 'RELAY_ACCESS_PORT'],
    ['access.idleTimeout', 'access-idle-timeout', 'RELAY_ACCESS_IDLE_TIMEOUT'],
    ['access.origins', 'access-origins', 'RELAY_ACCESS_ORIGINS'],
    ['access.file', 'access-file', 'RELAY_ACCESS_FILE'],
  ])
})

test('the table of a README', () => {
  expect(settingsTable(spec).split('\n')).toEqual([
    '| key | argument | environment | type | default | meaning |',
    '|---|---|---|---|---|---|',
    '| `relayUrl` | `--relay-url` | `RELAY_RELAY_URL`, `RELAY_RELAYFQDN`, `OLD_URL` | string |  | address of the relay |',
    '| `secret` |  | `RELAY_SECRET` | string |  | shared secret |',
    '| `logLevel` | `--log-level` | `RELAY_LOG_LEVEL` | info \\| warn | `info` | least level |',
    '| `debug` | `--debug` | `RELAY_DEBUG` | boolean | `false` | this \\| that |',
    '| `access.port` | `--access-port` | `RELAY_ACCESS_PORT` | whole number | `8082` | port |',
    '| `access.idleTimeout` | `--access-idle-timeout` | `RELAY_ACCESS_IDLE_TIMEOUT` | duration | `1m` | close after |',
    '| `access.origins` | `--access-origins` | `RELAY_ACCESS_ORIGINS` | list | `a,b` | origins |',
    '| `access.file` | `--access-file` | `RELAY_ACCESS_FILE` | string | `in the home directory` | a file |',
  ])
})

describe('options of the command line', () => {
  const options = commandLineOptions(spec)

  test('there is one for each setting but secrets', () => {
    expect(Object.keys(options)).toEqual([
      'relay-url',
      'log-level',
      'debug',
      'access-port',
      'access-idle-timeout',
      'access-origins',
      'access-file',
    ])
  })

  test('a switch takes no value, all else is a text that the schema checks', () => {
    expect(options.debug).toMatchObject({ type: 'boolean' })
    expect(options['access-port']).toEqual({
      describe: 'port (default 8082) [RELAY_ACCESS_PORT]',
      type: 'string',
      requiresArg: true,
    })
  })

  test('none has a default of its own: it would hide the file', () => {
    for (const option of Object.values(options)) expect(option).not.toHaveProperty('default')
  })
})

test('shown, a configuration keeps its secrets, in lists too', () => {
  const text = 'cameras:\n  - {name: front, password: hunter2}\n  - {name: side, password: ""}\n'
  const environment = { RELAY_RELAY_URL: 'wss://relay.example.io', RELAY_SECRET: 'hunter2' }
  const config = loadConfig(spec, { file: { path: 'r.yaml', text }, environment })
  const shown = redactedConfig(spec, config)

  expect(JSON.stringify(shown)).not.toContain('hunter2')
  expect(shown).toMatchObject({
    relayUrl: 'wss://relay.example.io',
    secret: '(set)',
    access: { port: 8082, origins: ['a', 'b'] },
    cameras: [
      { name: 'front', password: '(set)' },
      { name: 'side', password: '' },
    ],
  })
  expect(config.secret).toBe('hunter2')
})
