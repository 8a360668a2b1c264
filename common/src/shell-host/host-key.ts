/** Of a file with a public key; an RSA key of 16384 bits has 2.8 kB. */
export const maxHostKeyFileBytes = 8_192

const keyTypes: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ssh-dss',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
])

/**
 * The public key in the text of a `ssh_host_*_key.pub`: type and key, without the comment, which names the machine;
 * undefined where it is none (RFC 4253 6.6: the key itself begins with its type). Pure.
 */
export function parseHostKey(text: string): string | undefined {
  const [type = '', key = '', ...comment] = text.trim().split(/[ \t]+/)
  // A second line is none of the form; it would get into the known_hosts of others.
  if (comment.join(' ').includes('\n') || key.includes('\n')) return undefined
  if (!keyTypes.has(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return undefined
  const bytes = Buffer.from(key, 'base64')
  if (bytes.toString('base64') !== key || bytes.length < 4) return undefined
  const length = bytes.readUInt32BE(0)
  return bytes.subarray(4, 4 + length).toString('latin1') === type && bytes.length > 4 + length
    ? `${type} ${key}`
    : undefined
}
