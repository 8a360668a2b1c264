import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that wait for minutes whatever the machine is. Begun last they would make everybody wait for them alone. */
const longFiles = ['shell-network.test.ts', 'shell-ssh.test.ts', 'golden-shell.test.ts', 'shell-ends.test.ts']

/** The order of Vitest, which knows durations once it has run here, but for files that are known to be long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    // Stable, and only within a project: projects have an order of their own.
    return sorted.toSorted((one, other) =>
      one.project.name === other.project.name ? rankOf(one) - rankOf(other) : 0,
    )
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const place = longFiles.findIndex((name) => moduleId.endsWith(`/${name}`))
  return place < 0 ? longFiles.length : place
}
