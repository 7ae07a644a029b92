import { X509Certificate } from 'node:crypto';

import { generateKeyPair } from './x509-door.js';
import { allowedHost, readAllowList, signAllowList } from '../pairing/allow-list.js';
import {
  certificateFingerprint,
  isIssuedFor,
  isRenewalDue,
  issueAuthority,
  issueHostCertificate,
  issueJoinCertificate,
  issueNatsCertificate,
} from './issue.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;
const user = (host: string, digit: string): string => `mai://${host}/${digit.repeat(32)}`;

describe('a certificate of a host', () => {
  test('is for its name and its user, on the curve P-256, and signed by the authority', async () => {
    const authority = await issueAuthority(NOW);
    const keys = await generateKeyPair();
    const issued = await issueHostCertificate(authority, 'laptop', keys.publicKey, NOW);
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.subject).toBe('CN=laptop');
    expect(certificate.subjectAltName).toBe(`DNS:laptop, URI:${issued.user}`);
    expect(issued.user).toBe(`mai://laptop/${certificate.serialNumber.toLowerCase()}`);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
    expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(issued.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(isIssuedFor(issued.certificate, authority.certificate, 'laptop', keys)).toBe(true);
    const other = await generateKeyPair();
    expect(isIssuedFor(issued.certificate, authority.certificate, 'laptop', other)).toBe(false);
    expect(isIssuedFor(issued.certificate, authority.certificate, 'tower', keys)).toBe(false);
    const stranger = await issueAuthority(NOW);
    expect(isIssuedFor(issued.certificate, stranger.certificate, 'laptop', keys)).toBe(false);
    expect(isIssuedFor('no certificate', authority.certificate, 'laptop', keys)).toBe(false);
  });

  test('is valid from a day ago, for a year, and is renewed when a third of that is left', async () => {
    const authority = await issueAuthority(NOW);
    const { publicKey } = await generateKeyPair();
    const { certificate } = await issueHostCertificate(authority, 'laptop', publicKey, NOW);
    const { validFrom, validTo } = new X509Certificate(certificate);
    expect(Date.parse(validFrom)).toBe(NOW.getTime() - DAY_MS);
    expect(Date.parse(validTo)).toBe(NOW.getTime() + 365 * DAY_MS);
    const after = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);
    // A third of 366 days is 122, so the renewal is due 243 days after its issue.
    expect(isRenewalDue(certificate, after(243))).toBe(false);
    expect(isRenewalDue(certificate, new Date(after(243).getTime() + 1))).toBe(true);
  });
});

test('the authority may sign certificates, but no other authorities', async () => {
  const certificate = new X509Certificate((await issueAuthority(NOW)).certificate);
  expect(certificate.ca).toBe(true);
  // `toLegacyObject` is not used: if it is the first call that loads Node's TLS, `tls.createSecureContext` is missing afterwards.
  expect(certificate.subject).toMatch(/^CN=Mai fleet [0-9a-f]{8}$/);
  expect(Date.parse(certificate.validTo)).toBe(NOW.getTime() + 3650 * DAY_MS);
});

test('servers of the fleet have names that no host can have', async () => {
  const authority = await issueAuthority(NOW);
  const { publicKey } = await generateKeyPair();
  const nats = await issueNatsCertificate(authority, '10.0.0.7', publicKey, NOW);
  const join = await issueJoinCertificate(authority, NOW);
  expect(new X509Certificate(nats).subjectAltName).toBe(
    'DNS:nats.mai-fleet.internal, IP Address:10.0.0.7',
  );
  expect(new X509Certificate(join.certificate).subjectAltName).toBe('DNS:join.mai-fleet.internal');
  expect(new X509Certificate(join.certificate).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
});

describe('the allow-list', () => {
  const LIST = {
    revision: 7,
    hosts: [
      { host: 'desktop', fingerprints: ['a'.repeat(64)], users: [user('desktop', '1')] },
      {
        host: 'laptop',
        fingerprints: ['b'.repeat(64), 'c'.repeat(64)],
        users: [user('laptop', '2'), user('laptop', '3')],
      },
    ],
    natsPort: 4222,
    routePort: 6222,
    servers: [{ address: '10.0.0.7', host: 'desktop', keys: ['e'.repeat(64)] }],
    revokedKeys: ['f'.repeat(64)],
  };

  test('is read where the authority signed it', async () => {
    const { certificate, privateKey } = await issueAuthority(NOW);
    expect(readAllowList(signAllowList(LIST, privateKey), certificate)).toEqual(LIST);
  });

  test('is refused where another key signed it, or where it was changed', async () => {
    const { certificate, privateKey } = await issueAuthority(NOW);
    const other = await issueAuthority(NOW);
    const text = signAllowList(LIST, privateKey);
    expect(readAllowList(signAllowList(LIST, other.privateKey), certificate)).toBe(null);
    expect(readAllowList(text.replace('laptop', 'mallor'), certificate)).toBe(null);
    for (const bad of ['', '{}', 'null', '{"content":"{}","signature":""}']) {
      expect(readAllowList(bad, certificate)).toBe(null);
    }
  });

  test('finds the host of a fingerprint', () => {
    expect(allowedHost(LIST, 'c'.repeat(64))).toBe('laptop');
    expect(allowedHost(LIST, 'd'.repeat(64))).toBe(null);
  });
});

test('a fingerprint is the same for a certificate in PEM and in DER', async () => {
  const { certificate } = await issueAuthority(NOW);
  const { raw } = new X509Certificate(certificate);
  expect(certificateFingerprint(raw)).toBe(certificateFingerprint(certificate));
});
