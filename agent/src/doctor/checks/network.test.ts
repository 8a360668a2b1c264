import { expect, test } from 'vitest'
import { hostsToAsk, judgeLookups, judgeProxies } from './network.ts'

test('names are asked for, addresses are not, and a proxy finds the relay by itself', () => {
  const accesses = ['https://app.example.org/ed0/access', 'http://192.0.2.1:8082', 'https://[2001:db8::1]/x']
  expect([...hostsToAsk(accesses, {})]).toEqual([['app.example.org', 'the relay']])
  expect([...hostsToAsk(accesses, { HTTPS_PROXY: 'proxy.example.org:3128' })]).toEqual([
    ['proxy.example.org', 'the proxy'],
  ])
})

test('a name that is not found and a DNS that does not answer are told apart', () => {
  const lookup = { host: 'app.example.org', role: 'the relay', addresses: [], tookMs: 10 }
  const [missing, mute, slow, good] = judgeLookups([
    { ...lookup, failure: 'ENOTFOUND' },
    { ...lookup, failure: 'EAI_AGAIN' },
    { ...lookup, addresses: ['192.0.2.1'], failure: undefined, tookMs: 5_000 },
    { ...lookup, addresses: ['192.0.2.1'], failure: undefined },
  ])
  expect(missing).toMatchObject({ level: 'problem', what: expect.stringMatching(/is not found/) as string })
  expect(mute).toMatchObject({ level: 'problem', what: expect.stringMatching(/EAI_AGAIN/) as string })
  expect(slow).toMatchObject({ level: 'warning', what: expect.stringMatching(/took 5.0 s/) as string })
  expect(good).toEqual({ level: 'ok', what: 'app.example.org is 192.0.2.1' })
})

const addresses = ['https://app.example.org/ed0/access']

test('a proxy is named without its password', () => {
  const verdicts = judgeProxies({
    addresses,
    environment: { HTTPS_PROXY: 'http://lab:opensesame@proxy.example.org:3128' },
    unitEnvironment: 'HTTPS_PROXY=http://lab:opensesame@proxy.example.org:3128',
  })
  expect(verdicts).toEqual([
    { level: 'ok', what: 'app.example.org is reached through the proxy proxy.example.org:3128' },
  ])
})

test('a variable that is no address is a problem and is not shown', () => {
  const verdicts = judgeProxies({
    addresses,
    environment: { HTTPS_PROXY: 'ftp://opensesame' },
    unitEnvironment: undefined,
  })
  expect(verdicts).toEqual([expect.objectContaining({ level: 'problem' })])
  expect(JSON.stringify(verdicts)).not.toContain('opensesame')
})

test('a proxy that only the shell knows is a warning, as the service does not use it', () => {
  const environment = { https_proxy: 'http://proxy.example.org:3128' }
  const [, warning] = judgeProxies({ addresses, environment, unitEnvironment: 'TZ=UTC' })
  expect(warning).toMatchObject({
    level: 'warning',
    what: 'https_proxy is set here and not for the service',
  })
})
