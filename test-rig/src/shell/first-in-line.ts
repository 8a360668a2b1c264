/**
 * Words in front of a program whose speed is measured: it goes before whatever else the machine does just then, so that
 * the figure tells of the program and not of its neighbours. Needs root.
 */
export const firstInLine: readonly string[] = ['nice', '-n', '-10']
