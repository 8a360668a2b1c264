import { expect, test } from 'vitest'
import { sshConfigText } from './ssh-config-text.ts'

test('words for the shell are quoted, and signs that ssh expands are doubled', () => {
  const text = sshConfigText({
    targets: [{ id: 'pend00', expiresAtMs: Date.UTC(2030, 0) }],
    command: ['npx', 'shell'],
    tokenDirectory: "/my to%kens/it's",
    user: 'lab admin',
    knownHostsFile: '/my ssh/known_hosts',
  })

  expect(text).toBe(`# the token is valid until 2030-01-01T00:00:00Z
Host pend00
  HostName pend00
  HostKeyAlias pend00
  User "lab admin"
  ProxyCommand npx shell connect --tokens '/my to%%kens/it'\\''s' pend00
  UserKnownHostsFile "/my ssh/known_hosts"
  HashKnownHosts no
  CheckHostIP no
  ServerAliveInterval 30
  ServerAliveCountMax 5
`)
})

test('an id that is none cannot smuggle a line into the file', () => {
  const targets = [{ id: 'x\n  ProxyCommand evil', expiresAtMs: undefined }]

  expect(
    sshConfigText({
      targets,
      command: ['shell'],
      tokenDirectory: undefined,
      user: undefined,
      knownHostsFile: undefined,
    }),
  ).toBe('')
})
