import { readdirSync, readlinkSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../test-rig/src/rig/until.ts'
import { Container } from './container/container.ts'
import { rootImage } from './container/root-image.ts'
import { cgroupHierarchies, whyNoContainer } from './container/why-no-container.ts'

const why = whyNoContainer()

describe.skipIf(why !== undefined)(`a container${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  // Here, as hooks have the time to bake it.
  beforeAll(async () => void (await rootImage()))

  test('has systemd as its first process, sees its credentials, and leaves nothing behind', async () => {
    const itsCgroups = new Set<string>()
    let itsNamespace = ''
    {
      await using container = await Container.boot({
        title: 'self',
        credentials: { 'a.token': 'of the image' },
      })
      for (const name of cgroupsOf('self')) itsCgroups.add(name)

      expect(await container.shell('cat /proc/1/comm')).toBe('systemd')
      expect(await container.shell('systemd-creds --system cat a.token')).toBe('of the image')
      expect(await container.shell('stat -fc %T /sys/fs/cgroup')).toBe('cgroup2fs')
      await container.write('/etc/mine/file', 'text')
      expect(await container.shell('cat /etc/mine/file')).toBe('text')
      const refused = await container.run('sh', ['-c', 'echo words >&2; exit 7'])
      expect(refused).toMatchObject({ code: 7, stderr: 'words\n' })
      await expect(container.shell('echo no >&2; false')).rejects.toThrow('no')
      itsNamespace = await container.shell('readlink /proc/self/ns/pid')
      expect(pidNamespaces()).toContain(itsNamespace)
    }

    expect(itsCgroups.size).toBeGreaterThan(0)
    expect(cgroupsOf('self')).toEqual([])
    await until('the end of its processes', () => !pidNamespaces().has(itsNamespace))
  })
})

function cgroupsOf(title: string): readonly string[] {
  return cgroupHierarchies()
    .flatMap((hierarchy) => readdirSync(hierarchy))
    .filter((name) => name.startsWith(`relay-test-${process.pid}-${title}`))
}

/** Of all processes that this one can see. */
function pidNamespaces(): ReadonlySet<string> {
  const found = new Set<string>()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      found.add(readlinkSync(`/proc/${entry}/ns/pid`))
    } catch {
      // It has gone meanwhile.
    }
  }
  return found
}
