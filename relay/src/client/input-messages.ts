import { StringDecoder } from 'node:string_decoder'

/** A line that grows beyond this without an end is sent in pieces: memory stays bounded. */
const maxLineLength = 1_048_576

/**
 * What comes from a stream, as messages: each line without its end as text, or each chunk as it is read. The stream is
 * read no faster than the messages are taken.
 */
export async function* inputMessages(
  input: NodeJS.ReadableStream,
  form: 'lines' | 'chunks',
): AsyncGenerator<string | Buffer> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of input) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (form === 'chunks') {
      yield bytes
      continue
    }
    const lines = (rest + decoder.write(bytes)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
    if (rest.length > maxLineLength) {
      yield rest
      rest = ''
    }
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}
