import { X509Certificate, sign, verify } from 'node:crypto';

import { z } from 'zod/mini';

import { parseJson } from '../../parse-json.js';

// Requests of a host to the authority, over NATS. The host signs them with the key of its certificate, so the authority
// does not rely on the permissions of NATS.

/** This prefix is signed with the request, so the signature of another kind of text is not valid for a request. */
const CONTEXT = 'mai-fleet-certify-v1\n';

export const ANSWER_DEADLINE_MS = 30_000;

const fingerprint = z.string().check(z.regex(/^[0-9a-f]{64}$/));

const contentSchema = z.discriminatedUnion('kind', [
  /** The host asks for a certificate of its next key. */
  z.strictObject({
    kind: z.literal('renew'),
    host: z.string(),
    /** Fingerprint of the certificate that belongs to the signature. */
    fingerprint,
    signingRequest: z.string(),
  }),
  /** The host uses the certificate that belongs to the signature, and its other certificates end. */
  z.strictObject({ kind: z.literal('confirm'), host: z.string(), fingerprint }),
  /** The host leaves the fleet. */
  z.strictObject({ kind: z.literal('leave'), host: z.string(), fingerprint }),
]);
export type CertifyContent = z.output<typeof contentSchema>;

const requestSchema = z.strictObject({ content: z.string(), signature: z.string() });

export const certifyAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('certified'),
    certificate: z.string(),
    /** Certificate of the host's nats-server, for the same key; null where the host runs none. */
    natsCertificate: z.nullable(z.string()),
    allowList: z.string(),
  }),
  z.strictObject({ kind: z.literal('accepted') }),
  z.strictObject({ kind: z.literal('refused'), reason: z.string() }),
]);
export type CertifyAnswer = z.output<typeof certifyAnswerSchema>;

/** Text of a request, signed by the host's private key. */
export function signCertifyRequest(content: CertifyContent, privateKey: string): string {
  const text = JSON.stringify(content);
  const signature = sign('sha256', Buffer.from(CONTEXT + text), privateKey).toString('base64');
  return JSON.stringify({ content: text, signature });
}

/**
 * Reads a request. `certificateOf` returns a host's certificate by its fingerprint. Returns null where the host has no such
 * certificate or did not sign the request.
 */
export function readCertifyRequest(
  text: string,
  certificateOf: (host: string, fingerprint: string) => string | null,
): CertifyContent | null {
  const request = z.safeParse(requestSchema, parseJson(text));
  if (!request.success) return null;
  const content = z.safeParse(contentSchema, parseJson(request.data.content));
  if (!content.success) return null;
  const certificate = certificateOf(content.data.host, content.data.fingerprint);
  if (certificate === null) return null;
  const genuine = verify(
    'sha256',
    Buffer.from(CONTEXT + request.data.content),
    new X509Certificate(certificate).publicKey,
    Buffer.from(request.data.signature, 'base64'),
  );
  return genuine ? content.data : null;
}
