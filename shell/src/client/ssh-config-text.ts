import { isUsualId, type SessionTarget } from './session-target.ts'

export interface SshConfigFacts {
  readonly targets: readonly Pick<SessionTarget, 'id' | 'expiresAtMs'>[]
  /** How ssh starts us, as words of a command line: `['shell']`. */
  readonly command: readonly string[]
  /** Folder of the tokens, where it is not the usual one. */
  readonly tokenDirectory: string | undefined
  readonly user: string | undefined
  /** Where host keys are kept; undefined: where ssh keeps all. */
  readonly knownHostsFile: string | undefined
}

/**
 * Entries for `~/.ssh/config`, one for each experiment. `HostKeyAlias` gives each its own host key, so that ssh checks it.
 * The alive messages of ssh outlast a session that is resumed: 30 s five times is more than its 120 s. Pure.
 */
export function sshConfigText({
  targets,
  command,
  tokenDirectory,
  user,
  knownHostsFile,
}: SshConfigFacts): string {
  const words = [...command, 'connect', ...(tokenDirectory === undefined ? [] : ['--tokens', tokenDirectory])]
  const start = words.map(proxyWord).join(' ')
  const blocks = targets
    .filter(({ id }) => isUsualId(id))
    .map(({ id, expiresAtMs }) => {
      const lines = [
        ...(expiresAtMs === undefined ? [] : [`# the token is valid until ${dateText(expiresAtMs)}`]),
        `Host ${id}`,
        `  HostName ${id}`,
        `  HostKeyAlias ${id}`,
        ...(user === undefined ? [] : [`  User ${configWord(user)}`]),
        `  ProxyCommand ${start} ${id}`,
        ...(knownHostsFile === undefined
          ? []
          : // Debian hashes names, and a person must see which key is whose.
            [`  UserKnownHostsFile ${configWord(knownHostsFile)}`, '  HashKnownHosts no']),
        '  CheckHostIP no',
        '  ServerAliveInterval 30',
        '  ServerAliveCountMax 5',
      ]
      return `${lines.join('\n')}\n`
    })
  return blocks.join('\n')
}

/** A word of the `ProxyCommand`, which ssh expands (`%`) and gives to a shell. */
function proxyWord(word: string): string {
  const expanded = word.replaceAll('%', '%%')
  return /^[\w@%+=:,./-]+$/.test(expanded) ? expanded : `'${expanded.replaceAll("'", String.raw`'\''`)}'`
}

/** A value of ssh_config(5); `%` begins a token there. */
function configWord(word: string): string {
  const expanded = word.replaceAll('%', '%%')
  return /^[^\s"]+$/.test(expanded) ? expanded : `"${expanded.replaceAll('"', '')}"`
}

function dateText(ms: number): string {
  return Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().replace('.000Z', 'Z') : 'a time that is none'
}
