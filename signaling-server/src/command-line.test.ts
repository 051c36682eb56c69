import { expect, test } from 'vitest'
import { banner } from './banner.ts'
import { readCommandLine } from './command-line.ts'

const read = (...args: string[]) => readCommandLine(args, 'dist')

test('flags and what they default to', () => {
  expect(read()).toMatchObject({ port: undefined, host: undefined, site: 'dist', isHttps: false, isJson: false })
  expect(read('--port', '9000', '--host', '127.0.0.1', '--json')).toMatchObject({
    port: 9000,
    host: '127.0.0.1',
    isJson: true,
  })
  expect(read('--cert', 'a.pem', '--key', 'b.pem').isHttps).toBe(true)
  const [server] = read('--ice', '[{"urls":"turn:t.example:3478","username":"u","credential":"c"}]').iceServers
  expect(server).toEqual({ urls: ['turn:t.example:3478'], username: 'u', credential: 'c' })
})

test('a wrong flag is named', () => {
  expect(() => read('--port', 'many')).toThrow('--port many')
  expect(() => read('--port', '70000')).toThrow('--port')
  expect(() => read('--cert', 'a.pem')).toThrow('--cert and --key')
  expect(() => read('--ice', '{')).toThrow('--ice is not JSON')
  expect(() => read('--ice', '[{"urls":"http://x"}]')).toThrow('entry 1')
  expect(() => read('--prot', '1')).toThrow('--prot')
})

test('the banner shows the link for others and its code, and never a code of this machine alone', () => {
  const urls = {
    local: 'http://localhost:8081/',
    network: 'http://192.168.1.7:8081/',
    others: [{ url: 'http://10.8.0.2:8081/', interfaceName: 'wg0' }],
    secureLocal: undefined,
    secureNetwork: undefined,
    note: undefined,
  }
  const text = banner({ urls, port: 8081, isOtherPort: true })
  expect(text).toContain('http://192.168.1.7:8081/')
  expect(text).toContain('wg0')
  expect(text).toContain('8080 is taken')
  expect(text).toContain('█')
  const alone = banner({ urls: { ...urls, network: undefined, others: [] }, port: 8081, isOtherPort: false })
  expect(alone).not.toContain('█')
  expect(alone).toContain('Only this machine')
})
