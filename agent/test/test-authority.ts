import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes keys and certificates with openssl in a folder: an authority and what it has signed. */
export class TestAuthority {
  readonly directory: string
  readonly #name: string

  constructor(directory: string, name = 'authority') {
    this.directory = directory
    this.#name = name
    const newKey = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
    openssl(newKey, ['-subj', `/CN=${name}`, '-keyout', this.keyFile, '-out', this.file])
  }

  get file(): string {
    return join(this.directory, `${this.#name}.pem`)
  }

  get keyFile(): string {
    return join(this.directory, `${this.#name}-key.pem`)
  }

  sign(
    name: string,
    {
      days = 2,
      alternative = 'IP:127.0.0.1',
    }: { readonly days?: number; readonly alternative?: string } = {},
  ): { readonly cert: string; readonly key: string } {
    const cert = join(this.directory, `${name}.pem`)
    const key = join(this.directory, `${name}-key.pem`)
    const request = join(this.directory, `${name}.csr`)
    const extensions = join(this.directory, `${name}.ext`)
    writeFileSync(extensions, `subjectAltName=${alternative}\n`)
    const newKey = 'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    openssl(newKey, ['-subj', `/CN=${name}`, '-keyout', key, '-out', request])
    const issuer = ['-CA', this.file, '-CAkey', this.keyFile, '-CAcreateserial', '-extfile', extensions]
    openssl(`x509 -req -days ${days}`, ['-in', request, ...issuer, '-out', cert])
    return { cert, key }
  }
}

function openssl(command: string, more: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', [...command.split(' '), ...more], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${command} failed: ${stderr}`)
}
