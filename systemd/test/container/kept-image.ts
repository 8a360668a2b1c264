import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * The path of something that takes long to make, in the cache of this user; `bake` makes it where it is not there yet.
 * Delete `~/.cache/relay-lab` to have it made anew.
 * @param recipe all that it is made from: another recipe is another image.
 * @param bake makes it under the path that it is given.
 * @throws what `bake` throws.
 */
export async function keptImage(
  name: string,
  recipe: readonly string[],
  bake: (path: string) => Promise<unknown>,
): Promise<string> {
  const key = createHash('sha256').update(recipe.join(' ')).digest('hex').slice(0, 12)
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'relay-lab')
  const image = join(cache, `${name}-${key}`)
  if (existsSync(image)) return image
  await mkdir(cache, { recursive: true })
  // Under a name of its own until it is whole: what a killed run leaves is never taken for an image.
  const unfinished = `${image}.${process.pid}`
  try {
    await bake(unfinished)
    await rename(unfinished, image)
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(image)) throw error
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return image
}
