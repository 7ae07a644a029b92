import { X509Certificate, sign, verify } from 'node:crypto';

import { z } from 'zod/mini';

import { isHostName } from '../../nats/subjects.js';

/** This prefix is signed with the list, so a signature of the authority over another kind of text does not fit a list. */
const CONTEXT = 'mai-fleet-allow-list-v1\n';

const contentSchema = z.strictObject({
  version: z.literal(1),
  revision: z.int().check(z.nonnegative()),
  hosts: z.array(
    z.strictObject({
      host: z.string().check(z.refine(isHostName)),
      fingerprints: z.array(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
    }),
  ),
});

const signedSchema = z.strictObject({ content: z.string(), signature: z.string() });

/**
 * The hosts that gateways of the fleet talk to, with the fingerprints of their certificates.
 *
 * The fleet's authority signs the list, so it may travel over any connection: a host that may write to NATS can neither
 * add a host nor take one off. A reader keeps the list with the highest revision that it has seen, also over a restart,
 * so an old list can't be put back.
 */
export interface AllowList {
  readonly revision: number;
  readonly hosts: readonly AllowedHost[];
}

export interface AllowedHost {
  readonly host: string;
  /** SHA-256 of each certificate in DER, in hexadecimal digits. Two while a certificate is being replaced. */
  readonly fingerprints: readonly string[];
}

/** Text of an allow-list, signed with the authority's private key. */
export function signAllowList(list: AllowList, authorityKey: string): string {
  const content = JSON.stringify({ version: 1, revision: list.revision, hosts: list.hosts });
  const signature = sign('sha256', Buffer.from(CONTEXT + content), authorityKey);
  return JSON.stringify({ content, signature: signature.toString('base64') });
}

/** Reads an allow-list. Returns null where the authority did not sign it, or where the text is not an allow-list. */
export function readAllowList(text: string, authorityCertificate: string): AllowList | null {
  const signed = z.safeParse(signedSchema, parseJson(text));
  if (!signed.success) return null;
  const { content, signature } = signed.data;
  const genuine = verify(
    'sha256',
    Buffer.from(CONTEXT + content),
    new X509Certificate(authorityCertificate).publicKey,
    Buffer.from(signature, 'base64'),
  );
  if (!genuine) return null;
  const list = z.safeParse(contentSchema, parseJson(content));
  return list.success ? { revision: list.data.revision, hosts: list.data.hosts } : null;
}

/** Name of the host that a certificate belongs to, by an allow-list; null where the list does not hold it. */
export function allowedHost(list: AllowList, fingerprint: string): string | null {
  const found = list.hosts.find(({ fingerprints }) => fingerprints.includes(fingerprint));
  return found?.host ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
