import { X509Certificate, createHash, createPublicKey, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

import { createAuthority, generateKeyPair, signCertificate } from './x509-door.js';
import type { AlternativeName, Certified, KeyPair, Validity } from './x509-door.js';

const DAY_MS = 86_400_000;

/** Life of the authority. It is not renewed: after this time the fleet must be made again. */
const AUTHORITY_DAYS = 3650;

/** Life of a host's certificate, so that a laptop may stay switched off for some months. */
const HOST_DAYS = 365;

/** Life of the certificate of a join server, which works for ten minutes. */
const JOIN_DAYS = 1;

/** Certificates are valid from a day ago, because the clock of the machine that checks them may be slow. */
const CLOCK_TOLERANCE_DAYS = 1;

/** Share of a certificate's life that is left when it is renewed. */
const RENEWAL_RATIO = 1 / 3;

/**
 * Names in the certificates of the fleet's servers. Clients check these names and not the address, which may change. No host
 * can have such a name, because names of hosts have no dots.
 */
export const JOIN_SERVER_NAME = 'join.mai-fleet.internal';
export const NATS_SERVER_NAME = 'nats.mai-fleet.internal';

/** A certificate of a host, as the authority keeps it. */
export interface HostCertificate {
  readonly certificate: string;
  /** User name at nats-server. It is the certificate's URI, so each certificate is a user of its own. */
  readonly user: string;
  readonly fingerprint: string;
  readonly expiresAt: string;
}

/** Makes the fleet's authority. */
export function issueAuthority(now: Date): Promise<Certified> {
  const name = `Mai fleet ${randomBytes(4).toString('hex')}`;
  return createAuthority(name, validity(now, AUTHORITY_DAYS));
}

/**
 * Signs a host's certificate. The name comes from the caller, never from the signing request. The certificate holds the
 * host's name as the DNS name that gateways check, and no address: an address may change hands.
 */
export async function issueHostCertificate(
  authority: Certified,
  host: string,
  publicKey: string,
  now: Date,
): Promise<HostCertificate> {
  const serialNumber = newSerialNumber();
  const user = `mai://${host}/${serialNumber}`;
  const certificate = await signCertificate(authority, publicKey, {
    ...validity(now, HOST_DAYS),
    name: host,
    alternativeNames: [
      { type: 'dns', value: host },
      { type: 'url', value: user },
    ],
    serialNumber,
    usages: ['client', 'server'],
  });
  return {
    certificate,
    user,
    fingerprint: certificateFingerprint(certificate),
    expiresAt: new Date(validity(now, HOST_DAYS).notAfter).toISOString(),
  };
}

/**
 * Signs the certificate of a nats-server for the key of the host that runs it. Hosts check its name, and the other servers
 * of a cluster check its address. It names no host, because nats-server shows it to everybody who connects.
 */
export function issueNatsCertificate(
  authority: Certified,
  address: string,
  publicKey: string,
  now: Date,
): Promise<string> {
  const type = isIP(address) === 0 ? 'dns' : 'ip';
  const alternativeNames: AlternativeName[] = [
    { type: 'dns', value: NATS_SERVER_NAME },
    { type, value: address },
  ];
  return signCertificate(authority, publicKey, {
    ...validity(now, HOST_DAYS),
    name: NATS_SERVER_NAME,
    alternativeNames,
    serialNumber: newSerialNumber(),
    // A server of a cluster is also a client of the other servers.
    usages: ['client', 'server'],
  });
}

/** Makes a key and a certificate for a join server. */
export async function issueJoinCertificate(authority: Certified, now: Date): Promise<Certified> {
  const { privateKey, publicKey } = await generateKeyPair();
  const certificate = await signCertificate(authority, publicKey, {
    ...validity(now, JOIN_DAYS),
    name: JOIN_SERVER_NAME,
    alternativeNames: [{ type: 'dns', value: JOIN_SERVER_NAME }],
    serialNumber: newSerialNumber(),
    usages: ['server'],
  });
  return { certificate, privateKey };
}

/** Whether a certificate is for this host and its key, and the authority signed it. */
export function isIssuedFor(
  certificate: string,
  authorityCertificate: string,
  host: string,
  keys: KeyPair,
): boolean {
  try {
    const issued = new X509Certificate(certificate);
    return (
      issued.checkHost(host) !== undefined &&
      issued.verify(new X509Certificate(authorityCertificate).publicKey) &&
      issued.publicKey.equals(createPublicKey(keys.publicKey))
    );
  } catch {
    // Not a certificate.
    return false;
  }
}

/** SHA-256 of a certificate in DER: 64 hexadecimal digits. */
export function certificateFingerprint(certificate: string | Buffer): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** SHA-256 of a certificate's public key (SPKI in DER): 64 hexadecimal digits, the form of nats-server's `pinned_certs`. */
export function keyFingerprint(certificate: string | Buffer): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('hex');
}

/** Whether less than a third of a certificate's life is left. */
export function isRenewalDue(certificate: string, now: Date): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const end = Date.parse(validTo);
  return end - now.getTime() < (end - Date.parse(validFrom)) * RENEWAL_RATIO;
}

function validity(now: Date, days: number): Validity {
  const from = now.getTime() - CLOCK_TOLERANCE_DAYS * DAY_MS;
  return { notBefore: new Date(from), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

/** Sixteen random bytes. The first bit is 0 (positive in DER) and the second is 1 (no leading zeros). */
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}
