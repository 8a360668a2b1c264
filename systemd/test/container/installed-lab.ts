import { basename, dirname, join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { signToken, type TokenClaims } from '@relay/common/token/sign-token'
import { TopicPeer, askForAddress } from '../../../test-rig/src/rig/topic-peer.ts'
import { until } from '../../../test-rig/src/rig/until.ts'
import type { PackageName } from '../../debian/package-definition.ts'
import { builtPackage } from '../packages.ts'
import { Container } from './container.ts'
import type { ForwardedPort } from './forwarded-port.ts'

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
const audience = 'http://127.0.0.1:3000'
const shellAudience = 'http://127.0.0.1:3004'
const installWithinMs = 100_000
/** Where the built packages lie inside. */
const packagesInside = '/packages'

export interface LabOptions {
  readonly title: string
  readonly packages: readonly PackageName[]
  readonly devices?: Readonly<Record<string, string>>
  /** Topics whose tokens the machine gets at boot, by the name of the credential. */
  readonly credentials?: Readonly<Record<string, string>>
  /** Ids of the shell relay whose host tokens the machine gets in the same way. */
  readonly shellCredentials?: Readonly<Record<string, string>>
}

/** A container into which our packages were installed as a person does it, and configured to work together. */
export class InstalledLab implements AsyncDisposable {
  readonly container: Container
  readonly #secret: string
  readonly #forwarded: ForwardedPort[] = []

  private constructor(container: Container, secret: string) {
    this.container = container
    this.#secret = secret
  }

  static async install({
    title,
    packages,
    devices = {},
    credentials = {},
    shellCredentials = {},
  }: LabOptions): Promise<InstalledLab> {
    const files = packages.map((name) => builtPackage(name, architecture))
    const secret = randomBytes(32).toString('hex')
    const tokens = await Promise.all([
      ...Object.entries(credentials).map(
        async ([name, topic]) => [name, await tokenFor(topic, secret)] as const,
      ),
      ...Object.entries(shellCredentials).map(
        async ([name, id]) => [name, await shellTokenFor(id, 'host', secret)] as const,
      ),
    ])
    const container = await Container.boot({
      title,
      folders: { [packagesInside]: dirname(files[0] ?? '') },
      devices,
      credentials: Object.fromEntries(tokens),
    })
    const lab = new InstalledLab(container, secret)
    try {
      for (const name of packages) await lab.installPackage(name)
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Installs it; the relay is configured then, and the agent left as the package brings it. */
  async installPackage(name: PackageName): Promise<void> {
    // Before: what the administrator prepared must be taken as it is.
    if (name === 'relay-server') await this.container.write('/etc/relay/secret', `${this.#secret}\n`, '600')
    await this.container.shell(`dpkg --install '${packageInside(name)}'`, {
      withinMs: installWithinMs,
    })
    if (name !== 'relay-server') return
    const relay = ['secretFiles: [secret]', `audience: ${audience}`, 'url: ws://127.0.0.1:3001', '']
    await this.container.write('/etc/relay/relay.yaml', relay.join('\n'))
    await this.container.shell('systemctl restart relay')
  }

  /** Sets the shell relay up as an administrator does it, with the same secret, and starts it. */
  async setUpShellRelay(): Promise<void> {
    await this.container.write('/etc/shell-relay/secret', `${this.#secret}\n`, '600')
    const settings = ['secretFiles: [secret]', `audience: ${shellAudience}`, 'url: ws://127.0.0.1:3005', '']
    await this.container.write('/etc/shell-relay/shell.yaml', settings.join('\n'))
    await this.container.shell(
      'systemctl start shell-access.socket shell-relay.socket shell-metrics.socket shell-relay',
    )
  }

  /** A token for a host or a client of the shell relay, valid for an hour. */
  async shellToken(id: string, scope: 'host' | 'client'): Promise<string> {
    return await shellTokenFor(id, scope, this.#secret)
  }

  /** A token for one topic, valid for an hour. */
  async token(topic: string): Promise<string> {
    return await tokenFor(topic, this.#secret)
  }

  /** Joins a topic from outside of the container, through the two ports of the relay. */
  async join(topic: string): Promise<TopicPeer> {
    const access = await this.forward(3000)
    const websockets = await this.forward(3001)
    const address = await askForAddress(
      `http://127.0.0.1:${access}/session/${topic}`,
      await this.token(topic),
    )
    return await TopicPeer.dial(address.replace(':3001/', `:${websockets}/`))
  }

  /** A port here that leads to that port of loopback inside. */
  async forward(port: number): Promise<number> {
    const forwarded = await this.container.forward(port)
    this.#forwarded.push(forwarded)
    return forwarded.port
  }

  /** Properties of a unit, as systemd has them. */
  async show(unit: string, ...properties: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const text = await this.container.shell(`systemctl show '${unit}' --property=${properties.join(',')}`)
    return Object.fromEntries(
      text.split('\n').map((line) => {
        const [name = '', ...value] = line.split('=')
        return [name, value.join('=')]
      }),
    )
  }

  /** Waits until a property of a unit is as wanted; gives it. */
  async property(
    unit: string,
    name: string,
    wanted: (value: string) => boolean,
    withinMs = 40_000,
  ): Promise<string> {
    let last = ''
    try {
      return await until(
        `${name} of ${unit}`,
        async () => {
          last = (await this.show(unit, name))[name] ?? ''
          return wanted(last) ? last : undefined
        },
        { withinMs, everyMs: 150 },
      )
    } catch (cause) {
      throw new Error(`${name} of ${unit} stays "${last}"; its journal:\n${await this.journal(unit)}`, {
        cause,
      })
    }
  }

  /** What a unit said lately, its messages alone. */
  async journal(unit: string, lines = 60): Promise<string> {
    return await this.container.shell(`journalctl --no-pager --output=cat --lines=${lines} --unit='${unit}'`)
  }

  /** Adds a drop-in; systemd has read it then. */
  async dropIn(unit: string, name: string, lines: readonly string[]): Promise<void> {
    await this.container.write(`/etc/systemd/system/${unit}.d/${name}.conf`, `${lines.join('\n')}\n`)
    await this.container.shell('systemctl daemon-reload')
  }

  async removeDropIn(unit: string, name: string): Promise<void> {
    await this.container.shell(`rm '/etc/systemd/system/${unit}.d/${name}.conf' && systemctl daemon-reload`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const forwarded of this.#forwarded) await forwarded[Symbol.asyncDispose]()
    await this.container[Symbol.asyncDispose]()
  }
}

/** The built package, where containers see it. */
export function packageInside(name: PackageName): string {
  return join(packagesInside, basename(builtPackage(name, architecture)))
}

async function shellTokenFor(id: string, scope: 'host' | 'client', secret: string): Promise<string> {
  return await signed({ topic: id, prefix: 'shell', scopes: [scope], aud: [shellAudience] }, secret)
}

async function tokenFor(topic: string, secret: string): Promise<string> {
  return await signed(
    { booking_id: 'systemd', topic, prefix: 'session', scopes: ['read', 'write'], aud: [audience] },
    secret,
  )
}

async function signed(claims: Omit<TokenClaims, 'exp' | 'nbf' | 'iat'>, secret: string): Promise<string> {
  const nowSec = Math.floor(Date.now() / 1000)
  return await signToken(
    { ...claims, exp: nowSec + 3600, nbf: nowSec - 1, iat: nowSec - 1 },
    new TextEncoder().encode(secret),
  )
}
