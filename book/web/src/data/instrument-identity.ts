/** Who the instrument says it is, from its answer to `describe`. */
export interface InstrumentIdentity {
  readonly name: string | undefined
  /** Units by name of field, where it gives them. */
  readonly units: ReadonlyMap<string, string>
}

const maxFields = 64
const maxNameCharacters = 80
const maxUnitCharacters = 16

/** Reads `name` and `fields: [{"name","unit"}]`; what cannot be read is left out. Never throws. */
export function readIdentity(description: object): InstrumentIdentity {
  const { name, fields } = description as Record<string, unknown>
  const units = new Map<string, string>()
  for (const field of (Array.isArray(fields) ? (fields as readonly unknown[]) : []).slice(0, maxFields)) {
    const { name: fieldName, unit } = (field ?? {}) as Record<string, unknown>
    if (typeof fieldName === 'string' && typeof unit === 'string') {
      units.set(fieldName, unit.slice(0, maxUnitCharacters))
    }
  }
  const isNamed = typeof name === 'string' && name.trim() !== ''
  return { name: isNamed ? name.trim().slice(0, maxNameCharacters) : undefined, units }
}
