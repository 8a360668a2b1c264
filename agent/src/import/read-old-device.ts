import { basename } from 'node:path'
import type { Machine } from '../doctor/machine.ts'
import type { OldPart } from './old-part.ts'
import { parseUnit } from './parse-unit.ts'
import { recogniseCommand } from './recognise-command.ts'
import { resolveWord, type Scope, unknownMark } from './resolve-word.ts'
import { parseShell, parseWords, type ShellCommand } from './shell-words.ts'

/** A token or an address of a topic that stands in a file of its own, or in a variable. */
export interface LooseText {
  readonly kind: 'access' | 'token'
  /** `video` of `video.token` and of `VIDEO_TOKEN`. */
  readonly stem: string
  readonly text: string
  readonly place: string
}

export interface OldUnit {
  readonly name: string
  /** Everything in it was taken over. */
  readonly isReplaced: boolean
  /** Something of it was. */
  readonly isTaken: boolean
  /** Programs in it that are not known here. */
  readonly foreign: readonly string[]
}

export interface Remark {
  readonly place: string
  readonly what: string
}

/** Everything that the files of an old device say. Holds tokens: not for printing. */
export interface OldDevice {
  readonly parts: readonly OldPart[]
  readonly loose: readonly LooseText[]
  readonly units: readonly OldUnit[]
  /** What was read, and what each file was. */
  readonly read: readonly Remark[]
  readonly notUnderstood: readonly Remark[]
}

export interface OldDevicePlaces {
  /** `/etc/practable`. */
  readonly directory: string
  /** Where units of administrators stand. */
  readonly unitDirectories: readonly string[]
}

const maxFiles = 500
const maxScripts = 64
const deepestScript = 4

/**
 * Reads an old device's files: what stands in `directory`, the units that have to do with it, and the scripts that
 * those run. Takes files of any content; reads no more than some hundred of them and 64 KiB of each.
 */
export async function readOldDevice(machine: Machine, places: OldDevicePlaces): Promise<OldDevice> {
  return await new DeviceReader(machine).read(places)
}

/** What one script or unit came to. */
interface Tally {
  taken: number
  readonly foreign: Set<string>
}

class DeviceReader {
  readonly #machine: Machine
  readonly #parts: OldPart[] = []
  readonly #loose: LooseText[] = []
  readonly #units: OldUnit[] = []
  readonly #read: Remark[] = []
  readonly #notUnderstood: Remark[] = []
  readonly #texts = new Map<string, string | undefined>()
  /** What each script came to: several units may run it, and it is taken over once. */
  readonly #scripts = new Map<string, Tally>()

  constructor(machine: Machine) {
    this.#machine = machine
  }

  async read({ directory, unitDirectories }: OldDevicePlaces): Promise<OldDevice> {
    const names = (await this.#machine.list(directory)).slice(0, maxFiles)
    // Scripts refer to these files: all of them are known before the first script is read.
    for (const name of names) await this.#text(`${directory}/${name}`)
    for (const units of new Set([directory, ...unitDirectories])) {
      const files = (await this.#machine.list(units)).filter((name) => name.endsWith('.service'))
      for (const name of files.slice(0, maxFiles)) await this.#readUnit(`${units}/${name}`)
    }
    // After the units, whose variables hold in the scripts that they run.
    for (const name of names) if (!name.endsWith('.service')) await this.#readFile(`${directory}/${name}`)
    return {
      parts: this.#parts,
      loose: this.#loose,
      units: this.#units,
      read: this.#read,
      notUnderstood: this.#notUnderstood,
    }
  }

  async #text(path: string): Promise<string | undefined> {
    if (!this.#texts.has(path)) this.#texts.set(path, await this.#machine.readText(path))
    return this.#texts.get(path)
  }

  async #readFile(path: string): Promise<void> {
    const name = basename(path)
    const [, stem, ending] = /^(.+)\.(access|token)$/.exec(name) ?? []
    const text = await this.#text(path)
    if (text === undefined) {
      const facts = await this.#machine.stat(path)
      if (facts?.kind === 'directory') this.#miss(path, 'it is a directory, which is not looked into')
      else this.#miss(path, 'it cannot be read; run this with sudo')
      return
    }
    if (text.includes('\0') || text.includes('\uFFFD')) {
      this.#miss(path, 'it is no text')
      return
    }
    if (stem !== undefined && (ending === 'access' || ending === 'token')) {
      this.#readLoose(path, { stem, kind: ending, text })
      return
    }
    if (/\.(?:py|go|js|json|ya?ml|pem|crt|key|md|txt)$/.test(name))
      this.#miss(path, 'it is none of the files that are known here')
    else if (!this.#scripts.has(path)) await this.#readScript(path, new Map(), 0)
  }

  #readLoose(
    path: string,
    { stem, kind, text }: { readonly stem: string; readonly kind: 'access' | 'token'; readonly text: string },
  ): void {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
    if (lines.length !== 1) {
      this.#miss(
        path,
        lines.length === 0 ? 'it is empty' : `it has ${lines.length} lines where there should be one`,
      )
      return
    }
    this.#read.push({ place: path, what: kind === 'access' ? 'an address' : 'a token' })
    this.#loose.push({ kind, stem, text: lines[0] ?? '', place: path })
  }

  async #readUnit(path: string): Promise<void> {
    const name = basename(path)
    if (name.startsWith('relay-agent')) return
    const text = await this.#text(path)
    if (text === undefined) return
    const unit = parseUnit(text)
    const isOurs =
      /practable|\/ts\/|\/ws\/|:8888|websocat|\b(?:session|relay|shell|jump) host\b|ffmpeg|socat|VW_/.test(
        text,
      )
    const tally: Tally = { taken: 0, foreign: new Set() }
    const variables = await this.#unitVariables(unit.lines, path)
    const found = this.#parts.length + this.#notUnderstood.length
    for (const { section, key, value, line } of unit.lines) {
      if (section !== 'Service' || !/^Exec(?:Start|StartPre|StartPost)$/.test(key)) continue
      const commands = parseShell(value.replace(/^[@:+!-]+/, ''), { kind: 'unit', firstLine: line })
      await this.#readCommands(commands, { path, variables, depth: 0, tally, isOurs })
    }
    const hasFound = this.#parts.length + this.#notUnderstood.length > found
    if (!isOurs && tally.taken === 0 && !hasFound) return
    for (const line of unit.notUnderstood) this.#miss(`${path} line ${line}`, 'this is no line of a unit')
    this.#read.push({
      place: path,
      what: tally.taken > 0 ? 'a unit of the old device' : 'a unit, of which nothing was taken',
    })
    this.#units.push({
      name,
      isTaken: tally.taken > 0,
      isReplaced: tally.taken > 0 && tally.foreign.size === 0,
      foreign: [...tally.foreign],
    })
  }

  async #unitVariables(
    lines: ReturnType<typeof parseUnit>['lines'],
    path: string,
  ): Promise<Map<string, string>> {
    const variables = new Map<string, string>()
    for (const { section, key, value, line } of lines) {
      if (section !== 'Service') continue
      if (key === 'Environment') {
        for (const word of parseWords(value, line)) setVariable(variables, resolveWord(word, emptyScope))
      } else if (key === 'EnvironmentFile') {
        const file = value.replace(/^-/, '')
        const text = await this.#text(file)
        if (text === undefined) {
          if (!value.startsWith('-'))
            this.#miss(`${path} line ${line}`, `its file of variables ${file} cannot be read`)
          continue
        }
        for (const { words } of parseShell(text, { kind: 'script', firstLine: 1 }))
          for (const word of words) setVariable(variables, resolveWord(word, emptyScope))
      }
    }
    return variables
  }

  /** Also files of variables, which are scripts that do nothing else. */
  async #readScript(path: string, variables: Map<string, string>, depth: number): Promise<Tally> {
    const known = this.#scripts.get(path)
    if (known !== undefined) return known
    const tally: Tally = { taken: 0, foreign: new Set() }
    this.#scripts.set(path, tally)
    const text = await this.#text(path)
    if (
      text === undefined ||
      text.includes('\0') ||
      this.#scripts.size > maxScripts ||
      depth > deepestScript
    ) {
      tally.foreign.add(basename(path))
      return tally
    }
    const shebang = /^#!\s*(\S+)(?:\s+(\S+))?/.exec(text)
    if (shebang !== null && !shebang.slice(1).some((word) => word?.endsWith('sh'))) {
      this.#miss(path, 'it is a program in a language that is not known here')
      tally.foreign.add(basename(path))
      return tally
    }
    const before = this.#loose.length
    const commands = parseShell(text, { kind: 'script', firstLine: 1 })
    await this.#readCommands(commands, {
      path,
      variables,
      depth,
      tally,
      isOurs: /practable|8888|\/ts\/|\/ws\//.test(text),
    })
    const count = tally.taken + this.#loose.length - before
    this.#read.push({
      place: path,
      what:
        count > 0
          ? 'a script or file of variables'
          : 'a script or file of variables, of which nothing was taken',
    })
    return tally
  }

  async #readCommands(
    commands: readonly ShellCommand[],
    context: {
      readonly path: string
      readonly variables: Map<string, string>
      readonly depth: number
      readonly tally: Tally
      /** It has to do with the old device: what is not understood is worth telling. */
      readonly isOurs: boolean
    },
  ): Promise<void> {
    const { path, variables, depth, tally, isOurs } = context
    const scope: Scope = { variables, readFile: (file) => this.#texts.get(file) }
    for (const { words, stdin, line } of commands) {
      await this.#loadFiles(words, scope)
      const resolved = words.map((word) => resolveWord(word, scope))
      const place = `${path} line ${line}`
      this.#setVariables(resolved, variables, place)
      const known = recogniseCommand({
        words: resolved,
        stdin: stdin === undefined ? undefined : resolveWord(stdin, scope),
        place,
        variables,
      })
      if (known.kind === 'part') {
        this.#parts.push(known.part)
        tally.taken += 1
      } else if (known.kind === 'unclear') {
        this.#miss(place, known.why)
        tally.foreign.add(basename(resolved[0] ?? '').replaceAll(unknownMark, '?'))
      } else if (known.kind === 'foreign') {
        if (isOurs) this.#miss(place, `the program ${shown(known.program)} is not known here`)
        tally.foreign.add(shown(known.program))
      } else if (known.kind === 'text' && depth < deepestScript) {
        const inner = parseShell(known.text, { kind: 'script', firstLine: line })
        await this.#readCommands(inner, { ...context, depth: depth + 1 })
      } else if (known.kind === 'script') {
        const { taken, foreign } = await this.#readScript(known.path, variables, depth + 1)
        if (isOurs && foreign.has(basename(known.path)))
          this.#miss(place, `the program ${shown(basename(known.path))} is not known here`)
        tally.taken += taken
        for (const program of foreign) tally.foreign.add(program)
      }
    }
  }

  /** `$(cat FILE)` of other directories: they are read before they are asked for. */
  async #loadFiles(words: ShellCommand['words'], scope: Scope): Promise<void> {
    for (const piece of words.flat()) {
      if (piece.kind !== 'file') continue
      const path = resolveWord(piece.path, scope)
      if (path.startsWith('/') && !path.includes(unknownMark) && this.#texts.size < maxFiles * 2)
        await this.#text(path)
    }
  }

  #setVariables(words: readonly string[], variables: Map<string, string>, place: string): void {
    const [first = ''] = words
    const assignments = /^(?:export|local|readonly|declare)$/.test(first)
      ? words.slice(1)
      : words.every((word) => /^[A-Za-z_]\w*=/.test(word))
        ? words
        : []
    for (const assignment of assignments) {
      const name = setVariable(variables, assignment)
      if (name === undefined) continue
      const [, stem, kind] = /^(.+?)_?(ACCESS|TOKEN)$/i.exec(name) ?? []
      const text = variables.get(name) ?? ''
      if (stem === undefined || kind === undefined || text === '' || text.includes(unknownMark)) continue
      const isAccess = kind.toUpperCase() === 'ACCESS'
      const fits = isAccess ? /^https?:\/\//.test(text) : text.split('.').length === 3
      if (fits)
        this.#loose.push({ kind: isAccess ? 'access' : 'token', stem: stem.toLowerCase(), text, place })
    }
  }

  #miss(place: string, what: string): void {
    this.#notUnderstood.push({ place, what })
  }
}

const emptyScope: Scope = { variables: new Map(), readFile: () => undefined }

/** The name of the variable that a word `NAME=value` sets. */
function setVariable(variables: Map<string, string>, word: string): string | undefined {
  const [, name, value] = /^([A-Za-z_]\w{0,127})=([^]*)$/.exec(word) ?? []
  if (name === undefined || value === undefined) return undefined
  variables.set(name, value)
  return name
}

/** The name of a program of a stranger: short and of harmless characters. */
function shown(program: string): string {
  return program.replaceAll(/[^\w.+ -]/g, '?').slice(0, 40)
}
