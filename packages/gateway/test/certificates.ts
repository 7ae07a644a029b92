import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A certificate and its key, in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 in lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes an authority whose files are in `folder`. */
export function makeAuthority(folder: string, name: string): Promise<TestCertificate> {
  openssl('req', '-x509', ...KEY, '-days', '1', '-subj', `/CN=${name}`, ...files(folder, name));
  return read(folder, name);
}

/** Makes a certificate for a host, signed by an authority of the same folder. */
export async function makeCertificate(
  folder: string,
  authority: string,
  name: string,
): Promise<TestCertificate> {
  const at = (file: string): string => path.join(folder, file);
  const request = ['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)];
  openssl('req', ...KEY, ...request);
  await writeFile(at(`${name}.ext`), `subjectAltName=DNS:${name}\n`);
  openssl(
    'x509',
    '-req',
    '-days',
    '1',
    '-in',
    at(`${name}.csr`),
    '-extfile',
    at(`${name}.ext`),
    '-CA',
    at(`${authority}.crt`),
    '-CAkey',
    at(`${authority}.key`),
    '-CAcreateserial',
    '-out',
    at(`${name}.crt`),
  );
  return read(folder, name);
}

function files(folder: string, name: string): readonly string[] {
  return ['-keyout', path.join(folder, `${name}.key`), '-out', path.join(folder, `${name}.crt`)];
}

async function read(folder: string, name: string): Promise<TestCertificate> {
  const cert = await readFile(path.join(folder, `${name}.crt`), 'utf8');
  const key = await readFile(path.join(folder, `${name}.key`), 'utf8');
  const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();
  return { cert, key, fingerprint };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
