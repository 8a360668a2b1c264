/** Whether a variable is set to what Go takes for true; all else is false. Pure. */
export function isGoTrue(value: string | undefined): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value ?? '')
}

const goIntegers = [
  { pattern: /^([+-]?)0[xX]([0-9a-fA-F]{1,12})$/, radix: 16 },
  { pattern: /^([+-]?)0[oO]?([0-7]{1,15})$/, radix: 8 },
  { pattern: /^([+-]?)(0|[1-9][0-9]{0,14})$/, radix: 10 },
] as const

/** A whole number as Go reads it: `0x` is hexadecimal, a leading `0` octal; undefined for anything else. Pure. */
export function goInteger(text: string): number | undefined {
  for (const { pattern, radix } of goIntegers) {
    const [, sign, digits] = pattern.exec(text) ?? []
    if (digits === undefined) continue
    const size = Number.parseInt(digits, radix)
    return sign === '-' && size !== 0 ? -size : size
  }
  return undefined
}
