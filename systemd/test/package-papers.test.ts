import { execFileSync } from 'node:child_process'
import { settingsOf } from '@relay/common/config/settings'
import fc from 'fast-check'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import { agentProgram } from '../../agent/src/program.ts'
import { agentConfigSpec } from '../../agent/src/config.ts'
import { relaySpec } from '../../relay/src/config.ts'
import { relayProgram } from '../../relay/src/relay-program.ts'
import { librariesOf } from '../build/bundle-programs.ts'
import { filledIn } from '../debian/build-packages.ts'
import { debianChangelog } from '../debian/changelog.ts'
import { completionsOf } from '../debian/completions.ts'
import { commentedOut, settingsFile } from '../debian/config-files.ts'
import { configPage } from '../debian/config-page.ts'
import { controlFile, wrapped } from '../debian/control-file.ts'
import { agentPackage } from '../debian/agent-package.ts'
import { versionOf } from '../debian/package-version.ts'
import { outlineOf } from '../debian/program-outline.ts'

describe('the version of a package', () => {
  const facts = {
    manifestVersion: '0.2.0',
    commit: '170a98c0ffee',
    commitTimeSeconds: Date.UTC(2026, 10, 22, 18, 5, 9) / 1000,
    tags: [],
    hasChanges: false,
  }
  const isOlder = (a: string, b: string): boolean => {
    try {
      execFileSync('dpkg', ['--compare-versions', a, 'lt', b])
      return true
    } catch {
      return false
    }
  }

  test('is that of the release where the commit has its tag, and of the commit elsewhere', () => {
    expect(versionOf({ ...facts, tags: ['v0.2.0'] })).toBe('0.2.0')
    expect(versionOf(facts)).toBe('0.2.0~git20261122.180509.170a98c0')
    expect(versionOf({ ...facts, tags: ['v0.2.0'], hasChanges: true })).toMatch(/170a98c0\+changed$/)
    expect(versionOf({ ...facts, manifestVersion: '1.0.0-rc1', tags: ['v1.0.0-rc1'] })).toBe('1.0.0~rc1')
  })

  test('is newer than all before it, and older than the release to come', () => {
    const later = { ...facts, commit: '000000000000', commitTimeSeconds: facts.commitTimeSeconds + 1 }

    expect(isOlder('0.1.0', versionOf(facts))).toBe(true)
    expect(isOlder(versionOf(facts), versionOf(later))).toBe(true)
    expect(isOlder(versionOf(facts), versionOf({ ...facts, hasChanges: true }))).toBe(true)
    expect(isOlder(versionOf(later), '0.2.0')).toBe(true)
  })
})

describe('the changelog in the form of Debian', () => {
  const markdown = [
    '# Changelog',
    '',
    '## Unreleased',
    '',
    '### For operators',
    '- `relay` does **more**, see [there](x.md),',
    '  and goes on.',
    '',
    '## 0.1.0 - 2026-10-01',
    '### Inside',
    '- Begun.',
  ].join('\n')

  test('begins with this build and goes on with the releases', () => {
    const text = debianChangelog({ name: 'relay-agent', version: '0.2.0~git1', sourceDateEpoch: 0, markdown })

    expect(text).toBe(
      [
        'relay-agent (0.2.0~git1) stable; urgency=medium',
        '',
        '  * relay does more, see there, and goes on.',
        '',
        ' -- Relay maintainers <maintainers@relay.example.org>  Thu, 01 Jan 1970 00:00:00 +0000',
        '',
        'relay-agent (0.1.0) stable; urgency=medium',
        '',
        '  * Begun.',
        '',
        ' -- Relay maintainers <maintainers@relay.example.org>  Thu, 01 Oct 2026 12:00:00 +0000',
        '',
      ].join('\n'),
    )
  })
})

describe('the control file', () => {
  test('has no line longer than 80 signs in its description, and no empty one', () => {
    const text = controlFile(agentPackage, { version: '1', architecture: 'amd64', installedKib: 1 })
    const description = text.slice(text.indexOf('Description:')).trimEnd().split('\n')

    expect(description.every((line) => line.length <= 80 && line.trim() !== '')).toBe(true)
    expect(text).toMatch(/\n$/)
  })

  test('whatever is wrapped keeps all its words, in order', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 90 }), (text, width) => {
        const lines = wrapped(text, width)
        expect(lines.join(' ')).toBe(text.split(/\s+/).filter(Boolean).join(' '))
        expect(lines.every((line) => line.length <= width || !line.includes(' '))).toBe(true)
      }),
    )
  })
})

describe('maintainer scripts', () => {
  const files = { units: ['a.socket', 'a.service'], enabledUnits: ['a.service'], sysusers: [], tmpfiles: [] }

  test('get the names of the units', () => {
    expect(filledIn('stop @UNITS@; enable @ENABLED_UNITS@; for x in @SYSUSERS@; do', files)).toBe(
      'stop a.socket a.service; enable a.service; for x in ; do',
    )
  })

  test('may ask only for what is known', () => {
    expect(() => filledIn('@NONSENSE@', files)).toThrow('nothing is known for @NONSENSE@')
  })
})

describe('configuration files', () => {
  test('a commented example has every line of the example, and says nothing', () => {
    const example = '# About.\n\n# Its name.\nname: x\nlist:\n  # An item.\n  - a: 1\n'

    const text = commentedOut(example, 'Heading.')

    expect(text).toBe('# Heading.\n\n# Its name.\n#name: x\n#list:\n  # An item.\n#  - a: 1\n')
    expect(parse(text)).toBeNull()
  })

  test('the settings of the relay are all there, apart from the secret; one is in force', () => {
    const settings = settingsOf(relaySpec)
    const text = settingsFile(settings, { heading: 'Heading.', active: { secretFiles: '[secret]' } })

    expect(parse(text)).toEqual({ secretFiles: ['secret'] })
    for (const { path, secret } of settings)
      expect(new RegExp(`^#? *${path.at(-1)}:`, 'm').test(text)).toBe(!secret)
  })

  test('whoever takes away every # before a key has a file that means something', () => {
    const settings = settingsOf(relaySpec)
    const text = settingsFile(settings, { heading: 'Heading.', active: {} })

    const value = parse(text.replaceAll(/^#( *\w+:)/gm, '$1')) as Record<string, unknown>

    expect(Object.keys(value)).toEqual([
      ...new Set(settings.filter(({ secret }) => !secret).map(({ path }) => path[0])),
    ])
    expect(value['access']).toHaveProperty('port')
  })
})

describe('the manual page of a configuration file', () => {
  const page = configPage({
    name: 'relay-agent.yaml',
    path: '/etc/relay-agent/agent.yaml',
    about: 'configuration of relay-agent',
    program: 'relay-agent',
    sourceDateEpoch: 0,
    schema: agentConfigSpec.schema,
  })

  test('has every key, those of lists inside lists included', () => {
    for (const key of ['localApi.port', 'tokenFile', 'baudRate', 'framesPerSecond'])
      expect(page).toContain(`.It Cm ${key} : `)
    expect(page).toContain('.Ss mqttInstruments[].')
  })

  test('is right for mandoc', () => {
    const lint = execFileSync('mandoc', ['-Tlint', '-Wwarning'], { input: page, encoding: 'utf8' })
    expect(lint.replaceAll(/^.*outdated mandoc\.db.*\n/gm, '')).toBe('')
  })
})

describe('completions in bash', () => {
  /** What a press of the Tab key behind `words` offers. */
  const offered = (words: readonly string[]): readonly string[] => {
    const { bash } = completionsOf(outlineOf(words[0] === 'relay' ? relayProgram : agentProgram('v0.2')))
    const script = [
      bash,
      'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
      `_${words[0]?.replaceAll('-', '_')}`,
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n')
    const text = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' })
    return text.trim() === '' ? [] : text.trim().split('\n')
  }

  test('offer commands first, then the options of the command', () => {
    expect(offered(['relay', 'de'])).toEqual(['deny'])
    expect(offered(['relay-agent', ''])).toEqual(expect.arrayContaining(['run', 'check', 'status', '--help']))
    expect(offered(['relay-agent', 'run', '--local-api-p'])).toEqual(['--local-api-port'])
    expect(offered(['relay-agent', 'version', '--local-api-p'])).toEqual([])
  })

  test('offer files behind an option', () => {
    expect(offered(['relay-agent', 'check', '--config', '/etc/passw'])).toContain('/etc/passwd')
  })
})

test('libraries are found by their folders, wherever they lie', () => {
  expect(
    librariesOf([
      'agent/src/main.ts',
      'node_modules/ws/lib/a.js',
      'node_modules/ws/b.js',
      'node_modules/@x/y/z.js',
      'node_modules/a/node_modules/b/c.js',
    ]),
  ).toEqual(['node_modules/@x/y', 'node_modules/a/node_modules/b', 'node_modules/ws'])
})
