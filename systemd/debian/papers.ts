import { settingsOf } from '@relay/common/config/settings'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { agentConfigSpec } from '../../agent/src/config.ts'
import { relaySpec } from '../../relay/src/config.ts'
import { shellRelaySpec } from '../../shell/src/relay/config.ts'
import { nodeVersion } from '../build/pinned-node.ts'
import { debianChangelog } from './changelog.ts'
import { completionsOf } from './completions.ts'
import { commentedOut, settingsFile } from './config-files.ts'
import { type ConfigPageFacts, configPage } from './config-page.ts'
import { copyrightFile, licencesOf } from './copyright.ts'
import { type ManPageFacts, manPage } from './man-page.ts'
import type { PackageDefinition, PackageName } from './package-definition.ts'
import type { PackageTree } from './package-tree.ts'
import type { PackageVersion } from './package-version.ts'
import { outlineOf } from './program-outline.ts'

export interface PapersOptions {
  readonly definition: PackageDefinition
  readonly checkout: string
  readonly version: PackageVersion
  /** Folders of the libraries inside. */
  readonly libraries: readonly string[]
  /** Node's own licence file. */
  readonly nodeLicence: string
}

type PageFacts = Pick<ManPageFacts, 'about' | 'files' | 'seeAlso'>

/** Adds what people and their shells read: man pages, completions, licences, changelog, examples. */
export async function addPapers(tree: PackageTree, options: PapersOptions): Promise<void> {
  const { definition, checkout, version, libraries, nodeLicence } = options
  const { name, programs } = definition
  const papers = `usr/share/doc/${name}`
  for (const program of programs) {
    const outline = outlineOf(program)
    const facts = pageFacts[program.name]
    if (facts === undefined) throw new Error(`nothing is said about ${program.name} for its man page`)
    const page = manPage({ outline, sourceDateEpoch: version.sourceDateEpoch, ...facts })
    await tree.writeCompressed(`usr/share/man/man1/${program.name}.1`, page)
    const { bash, zsh, fish } = completionsOf(outline)
    await tree.write(`usr/share/bash-completion/completions/${program.name}`, bash)
    await tree.write(`usr/share/zsh/vendor-completions/_${program.name}`, zsh)
    await tree.write(`usr/share/fish/vendor_completions.d/${program.name}.fish`, fish)
  }
  for (const facts of configFacts[name]) {
    const page = configPage({ ...facts, sourceDateEpoch: version.sourceDateEpoch })
    await tree.writeCompressed(`usr/share/man/man5/${facts.name}.5`, page)
  }
  await tree.writeCompressed(
    `${papers}/changelog`,
    debianChangelog({
      name,
      ...version,
      markdown: await readFile(join(checkout, 'CHANGELOG.md'), 'utf8'),
    }),
  )
  await tree.write(
    `${papers}/copyright`,
    copyrightFile(await licencesOf(libraries, checkout), {
      version: nodeVersion,
      text: await readFile(nodeLicence, 'utf8'),
    }),
  )
  await addConfigFile[name](tree, checkout)
}

const configFacts: Readonly<Record<PackageName, readonly Omit<ConfigPageFacts, 'sourceDateEpoch'>[]>> = {
  'relay-agent': [
    {
      name: 'relay-agent.yaml',
      path: '/etc/relay-agent/agent.yaml',
      about: 'configuration of relay-agent',
      program: 'relay-agent',
      schema: agentConfigSpec.schema,
    },
  ],
  'relay-server': [
    {
      name: 'relay.yaml',
      path: '/etc/relay/relay.yaml',
      about: 'configuration of the relay',
      program: 'relay',
      schema: relaySpec.schema,
    },
    {
      name: 'shell.yaml',
      path: '/etc/shell-relay/shell.yaml',
      about: 'configuration of the shell relay',
      program: 'shell',
      schema: shellRelaySpec.schema,
    },
  ],
}

const addConfigFile: Readonly<Record<PackageName, (tree: PackageTree, checkout: string) => Promise<void>>> = {
  'relay-agent': async (tree, checkout) => {
    const example = await readFile(join(checkout, 'agent/agent.example.yaml'), 'utf8')
    await tree.write('usr/share/doc/relay-agent/examples/agent.yaml', example)
    const heading =
      'Configuration of relay-agent.service; nothing is configured yet. Take away the # at the beginning of what you need. "sudo relay-agent check" says everything that is wrong, with line numbers; "systemctl restart relay-agent" puts it in force. Sizes are written 64KiB or 1MiB, durations 500ms, 30s or 5m. What is left out has the value shown, but for the lists at the end, which are empty then.'
    await tree.write('etc/relay-agent/agent.yaml', commentedOut(example, heading))
    await tree.write('DEBIAN/conffiles', '/etc/relay-agent/agent.yaml\n')
  },
  'relay-server': async (tree) => {
    const heading =
      'Configuration of relay.service. The relay starts once audience and url are set and the secret of tokens is in /etc/relay/secret (for instance by: umask 077; openssl rand -hex 32 > /etc/relay/secret). "relay config --config FILE" says what is wrong.'
    const text = settingsFile(settingsOf(relaySpec), { heading, active: { secretFiles: '[secret]' } })
    await tree.write('etc/relay/relay.yaml', text)
    const shellHeading =
      'Configuration of shell-relay.service, through which administrators reach the ssh servers of boards. It starts once the secret of tokens is in /etc/shell-relay/secret (for instance by: umask 077; openssl rand -hex 32 > /etc/shell-relay/secret) and audience and url are set here. "shell settings --config FILE" says what is wrong; "systemctl start shell-relay" starts it.'
    const shellText = settingsFile(settingsOf(shellRelaySpec), {
      heading: shellHeading,
      active: { secretFiles: '[secret]' },
    })
    await tree.write('etc/shell-relay/shell.yaml', shellText)
    await tree.write('DEBIAN/conffiles', '/etc/relay/relay.yaml\n/etc/shell-relay/shell.yaml\n')
  },
}

const pageFacts: Readonly<Record<string, PageFacts>> = {
  'relay-agent': {
    about: 'carry cameras and instruments of an experiment to a relay',
    files: [
      ['/etc/relay-agent/agent.yaml', 'The configuration; every setting is explained in it.'],
      ['/etc/relay-agent/tokens/', 'Place for token files; only root and the service can read them.'],
      ['/etc/default/relay-agent', 'Variables of the service, such as HTTPS_PROXY; not there at first.'],
      ['/usr/share/doc/relay-agent/examples/agent.yaml', 'A whole configuration.'],
    ],
    seeAlso: [
      ['ffmpeg', 1],
      ['journalctl', 1],
      ['systemctl', 1],
      ['relay-agent.yaml', 5],
    ],
  },
  relay: {
    about: 'join laboratory experiments and the people who use them',
    files: [
      ['/etc/relay/relay.yaml', 'The configuration of the service; every setting is explained in it.'],
      [
        '/etc/relay/secret',
        'Shared secrets of tokens, one in each line; only root reads it, and systemd for the service.',
      ],
      ['/etc/default/relay', 'Variables of the service; not there at first.'],
    ],
    seeAlso: [
      ['session', 1],
      ['systemctl', 1],
      ['relay.yaml', 5],
    ],
  },
  shell: {
    about: 'reach the ssh servers of experiments behind firewalls',
    files: [
      [
        '/etc/shell-relay/shell.yaml',
        'The configuration of the relay as a service; every setting is explained in it.',
      ],
      [
        '/etc/shell-relay/secret',
        'Shared secrets of tokens, one in each line; only root reads it, and systemd for the service.',
      ],
      ['/etc/default/shell-relay', 'Variables of the service; not there at first.'],
      ['~/.config/relay-shell/', 'Tokens of a person, one file for each experiment.'],
    ],
    seeAlso: [
      ['jump', 1],
      ['ssh', 1],
      ['systemctl', 1],
      ['shell.yaml', 5],
    ],
  },
  jump: {
    about: 'the shell programs under the names and variables of practable/jump',
    files: [['/etc/shell-relay/shell.yaml', 'Settings of the relay, where they are not given by variables.']],
    seeAlso: [['shell', 1]],
  },
  session: {
    about: 'the relay under the names and variables of practable/relay v0.2.2',
    files: [['/etc/relay/relay.yaml', 'Settings, where they are not given by variables.']],
    seeAlso: [['relay', 1]],
  },
}
