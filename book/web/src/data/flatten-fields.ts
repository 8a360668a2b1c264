/** Deeper nesting than this is not looked at: it is a document, not a measurement. */
const maxDepth = 5
/** No message is searched for more numbers than this. */
const maxVisits = 256
const maxNameCharacters = 64

/**
 * Calls `visit` for every number and boolean in an object, nested names joined by dots (`motor.speed`, `axis.0`).
 * Bounded in depth, count and length of names, whatever was sent.
 */
export function flattenFields(value: object, visit: (name: string, value: number | boolean) => void): void {
  let visits = 0
  const walk = (node: object, prefix: string, depth: number): void => {
    for (const [key, item] of Object.entries(node) as [string, unknown][]) {
      if (visits >= maxVisits) return
      const name = prefix === '' ? key : `${prefix}.${key}`
      if (name.length > maxNameCharacters) continue
      if (typeof item === 'boolean' || (typeof item === 'number' && Number.isFinite(item))) {
        visits += 1
        visit(name, item)
      } else if (typeof item === 'object' && item !== null && depth < maxDepth) {
        walk(item, name, depth + 1)
      }
    }
  }
  walk(value, '', 1)
}
