import type { StaticDecode, TObject } from 'typebox'
import { invalidConfig } from '../config/invalid-config.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import { type ConfigSpec, settingsOf } from '../config/settings.ts'
import { ConfigError } from '../errors.ts'
import { isAddressOrNetwork } from './client-address.ts'

/** What `loadServerConfig` looks at beyond the schema. */
interface ServerSettings {
  readonly secret?: string
  readonly secretFiles: readonly string[]
  readonly keyDirectory?: string
  readonly trustedProxies: readonly string[]
}

/** Outside of it a setting would switch a protection off, keep the server busy with itself, or break a promise. */
export interface SettingRange {
  readonly where: string
  readonly value: number
  readonly least: number
  readonly most?: number
  /** For people: `at least 100ms`. */
  readonly wanted: string
}

/**
 * Merges and checks the settings of a server that verifies tokens.
 * @throws {ConfigError} `CONFIG_INVALID` with every problem, also where no token could ever be verified.
 */
export function loadServerConfig<T extends TObject, L extends Readonly<StaticDecode<T>> & ServerSettings>(
  spec: ConfigSpec<T>,
  sources: ConfigSources,
  rangesOf: (loaded: L) => readonly SettingRange[],
): L {
  const loaded = loadSettings(spec, sources) as L
  const wrongProxies = loaded.trustedProxies.filter((entry) => !isAddressOrNetwork(entry))
  if (wrongProxies.length > 0) {
    const what = `"${wrongProxies.join('", "')}" is no IP address and no network such as 10.0.0.0/8`
    throw invalidConfig(spec.program, [{ where: 'trustedProxies', what }])
  }
  const outside = rangesOf(loaded).filter(
    ({ value, least, most = Infinity }) => value < least || value > most,
  )
  if (outside.length > 0) {
    throw invalidConfig(
      spec.program,
      outside.map(({ where, wanted }) => ({ where, what: `it must be ${wanted}` })),
    )
  }
  if (!hasKeys(loaded)) throw invalidConfig(spec.program, [secretMissing(spec)])
  return loaded
}

function secretMissing({ envPrefix }: Pick<ConfigSpec<TObject>, 'envPrefix'>) {
  return {
    where: 'secret',
    what: `no secret and no keys are set, so that no token could be verified; set ${envPrefix}_SECRET, or --secret-files or --key-directory`,
  }
}

function hasKeys({ secret, secretFiles, keyDirectory }: ServerSettings): boolean {
  return (secret ?? '') !== '' || secretFiles.length > 0 || keyDirectory !== undefined
}

/** Without a file the lack of a secret is told together with all else that is wrong. */
function loadSettings<T extends TObject>(
  spec: ConfigSpec<T>,
  sources: ConfigSources,
): Readonly<StaticDecode<T>> {
  try {
    return loadConfig(spec, sources)
  } catch (error) {
    const problems = error instanceof ConfigError ? error.details['problems'] : undefined
    if (!Array.isArray(problems) || sources.file !== undefined || isKeySourceNamed(spec, sources)) throw error
    const others = problems.map((problem) => {
      const [where = '', ...what] = String(problem).split(': ')
      return { where, what: what.join(': ') }
    })
    throw invalidConfig(spec.program, [...others, secretMissing(spec)])
  }
}

function isKeySourceNamed(
  spec: ConfigSpec<TObject>,
  { environment = {}, arguments: given = {} }: ConfigSources,
): boolean {
  return settingsOf(spec)
    .filter(({ path }) => ['secret', 'secretFiles', 'keyDirectory'].includes(path.join('.')))
    .some(
      ({ env, argument }) =>
        given[argument] !== undefined || env.some((name) => (environment[name] ?? '') !== ''),
    )
}
