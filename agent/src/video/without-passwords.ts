const removed = '(removed)'

const address = /(?<=\b[a-z][a-z\d+.-]{0,20}:\/\/)[^\s"'<>]+/gi
/** User and password; a password may hold an "@". */
const user = /^[^/?#]*@/
/** A colon at the end is that of the sentence. */
const query = /\?.*?(?=:?$)/
/** Some cameras take their user and password in the path. */
const pathSecret = /(?<=(?:user(?:name)?|login|pass(?:word|wd)?|pwd|psw|token|secret|key)=).+?(?=:?$)/i

/**
 * `text` without what may let somebody into a network camera: in addresses, user and password, and all behind a
 * question mark or the name of a secret. Pure.
 */
export function withoutPasswords(text: string): string {
  return text.replaceAll(address, (found) =>
    found.replace(user, `${removed}@`).replace(query, `?${removed}`).replace(pathSecret, removed),
  )
}
