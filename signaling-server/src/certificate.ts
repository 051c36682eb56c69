import { X509Certificate } from 'node:crypto'
import { generate } from 'selfsigned'

export interface Certificate {
  readonly cert: string
  readonly key: string
  /** The name that pages should use; undefined when the certificate vouches for none. */
  readonly name: string | undefined
}

/** A certificate for this run, valid for `hosts` (names and IPv4 addresses) for 30 days. Browsers warn about it once. */
export async function selfSignedCertificate(hosts: readonly string[]): Promise<Certificate> {
  const now = Date.now()
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Shoal' }], {
    algorithm: 'sha256',
    // An hour ago, for phones whose clock is a little behind.
    notBeforeDate: new Date(now - 3600_000),
    notAfterDate: new Date(now + 30 * 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: false },
      {
        name: 'subjectAltName',
        altNames: hosts.map((host) => (/^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  })
  return { cert, key, name: undefined }
}

/** A certificate of the user's own. Throws an Error that says which text is wrong. */
export function ownCertificate(cert: string, key: string): Certificate {
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(cert)
  } catch (error) {
    throw new Error('--cert is not a PEM certificate', { cause: error })
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) throw new Error('--key is not a PEM private key')
  const names = [...(parsed.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name)
  return { cert, key, name: names.find((name) => !name.startsWith('*') && name !== 'localhost') }
}
