/** Variables that would configure our programs behind our back. */
const configuring = /^(RELAY|VW|ACCESSTOKEN|SESSION|JUMP|SHELL|SHELLRELAY|SHELLHOST|SHELLCLIENT|SHELLTOKEN)_/

/** What to add to a program's environment so that it knows `own` settings and none that the person has set. Pure. */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | undefined>> {
  const removed = Object.keys(environment).filter((name) => configuring.test(name))
  return { ...Object.fromEntries(removed.map((name) => [name, undefined])), ...own }
}
