import { expect, test } from 'vitest'
import {
  findUser,
  hiddenBySandbox,
  isWritableInSandbox,
  mayUse,
  readBit,
  readWriteBits,
  type ServiceUser,
} from './service.ts'

const passwd =
  'root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\nrelay-agent:x:990:991::/:/bin/false\n'
const group = 'root:x:0:\ndialout:x:20:pi,relay-agent\nvideo:x:44:pi\ngpio:x:997:\n'

test('the user is that of the unit, with its groups and those of the unit', () => {
  const properties = new Map([
    ['User', 'relay-agent'],
    ['SupplementaryGroups', 'gpio'],
  ])
  expect(findUser({ properties, passwd, group, userId: 1000 })).toEqual({
    name: 'relay-agent',
    uid: 990,
    gids: new Set([991, 20, 997]),
    isStandIn: false,
  })
})

test('without a unit it is the user of the package, and without a package whoever asks', () => {
  expect(findUser({ properties: undefined, passwd, group, userId: 1000 })).toMatchObject({
    name: 'relay-agent',
  })
  const bare = passwd.replace(/relay-agent.*\n/, '')
  expect(findUser({ properties: undefined, passwd: bare, group, userId: 1000 })).toEqual({
    name: 'pi',
    uid: 1000,
    gids: new Set([1000, 20, 44]),
    isStandIn: true,
  })
  expect(findUser({ properties: undefined, passwd: '', group: '', userId: 7 })).toMatchObject({
    uid: 7,
    isStandIn: true,
  })
})

const user: ServiceUser = { name: 'x', uid: 990, gids: new Set([20]), isStandIn: false }
const file = { kind: 'file', sizeBytes: 0 } as const

test.each([
  ['its own', { mode: 0o600, uid: 990, gid: 0 }, true],
  ['its own, closed to itself', { mode: 0o066, uid: 990, gid: 20 }, false],
  ['its group', { mode: 0o660, uid: 0, gid: 20 }, true],
  ['its group, read only', { mode: 0o640, uid: 0, gid: 20 }, false],
  ['of others', { mode: 0o600, uid: 0, gid: 0 }, false],
  ['open to all', { mode: 0o666, uid: 0, gid: 0 }, true],
] as const)('a file that is %s may be read and written: %j %s', (_name, rights, expected) => {
  expect(mayUse({ ...file, ...rights }, user, readWriteBits)).toBe(expected)
})

test('root may everything, and reading alone needs less', () => {
  expect(mayUse({ ...file, mode: 0, uid: 1, gid: 1 }, { ...user, uid: 0 }, readWriteBits)).toBe(true)
  expect(mayUse({ ...file, mode: 0o640, uid: 0, gid: 20 }, user, readBit)).toBe(true)
})

const sandbox = new Map([
  ['ProtectHome', 'yes'],
  ['PrivateTmp', 'yes'],
  ['ProtectSystem', 'strict'],
  ['ReadWritePaths', '-/srv/recordings +/mnt/disk/'],
  ['StateDirectory', 'relay-agent:alias'],
])

test.each([
  ['/home/pi/data.token', 'ProtectHome'],
  ['/root/data.token', 'ProtectHome'],
  ['/tmp/data.token', 'PrivateTmp'],
  ['/etc/relay-agent/data.token', undefined],
  ['/homes/data.token', undefined],
])('of %s the unit hides by %s', (path, setting) => {
  expect(hiddenBySandbox(path, sandbox)).toBe(setting)
  expect(hiddenBySandbox(path, undefined)).toBeUndefined()
})

test.each([
  ['/srv/recordings', true],
  ['/srv/recordings/a', true],
  ['/srv/recordings-2', false],
  ['/mnt/disk/a', true],
  ['/var/lib/relay-agent/recordings', true],
  ['/var/recordings', false],
])('%s can be written to in the sandbox: %s', (path, expected) => {
  expect(isWritableInSandbox(path, sandbox)).toBe(expected)
  expect(isWritableInSandbox(path, undefined)).toBe(true)
})
