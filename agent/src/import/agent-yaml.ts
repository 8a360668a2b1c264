import type { PlannedConfig } from './plan-import.ts'

type Value = string | number | readonly string[]

/** A configuration file with what differs from the defaults. Texts are quoted as JSON, which YAML reads. Pure. */
export function agentYaml(config: PlannedConfig, heading: readonly string[]): string {
  const { name, access, localPort, topics, streams, cameras, instruments, shell } = config
  const lines = heading.map((line) => `# ${line}`)
  lines.push('')
  if (name !== '') lines.push(`name: ${JSON.stringify(name)}`, '')
  if (access !== '') lines.push('relay:', `  access: ${JSON.stringify(access)}`, '')
  if (localPort !== undefined) lines.push('localApi:', `  port: ${localPort}`, '')
  if (shell !== undefined) {
    const { session, tokenFile, port } = shell
    lines.push('shell:', `  session: ${JSON.stringify(session)}`, `  tokenFile: ${JSON.stringify(tokenFile)}`)
    lines.push(...(port === undefined ? [''] : [`  sshd: { port: ${port} }`, '']))
  }
  lines.push(
    ...list(
      'topics',
      topics.map(({ topic, feed, tokenFile, access: own }) => ({
        topic,
        feed,
        tokenFile,
        access: own || undefined,
      })),
    ),
    ...list(
      'streams',
      streams.map(({ stream, feeds }) => ({ stream, feeds })),
    ),
    ...list(
      'cameras',
      cameras.map(
        ({
          name: camera,
          feed,
          preset,
          device,
          size,
          framesPerSecond,
          kilobitsPerSecond,
          arguments: args,
        }) => ({
          name: camera,
          feed,
          preset,
          device: device || undefined,
          size,
          framesPerSecond,
          kilobitsPerSecond,
          arguments: args.length === 0 ? undefined : args,
        }),
      ),
    ),
    ...list('instruments', instruments),
  )
  return `${lines.join('\n').trimEnd()}\n`
}

function list(key: string, items: readonly object[]): readonly string[] {
  if (items.length === 0) return []
  return [`${key}:`, ...items.flatMap(itemLines), '']
}

function itemLines(item: object): readonly string[] {
  return Object.entries(item as Readonly<Record<string, Value | undefined>>)
    .filter(([, value]) => value !== undefined)
    .map(([key, value], index) => `${index === 0 ? '  - ' : '    '}${key}: ${JSON.stringify(value)}`)
}
