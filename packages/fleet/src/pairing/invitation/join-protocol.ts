import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

import { z } from 'zod/mini';

// One request and one answer over TLS. The joiner checks the server's certificate first. Both sides then prove that they
// know the invitation's secret, bound to this TLS session, so that a proof is worth nothing in another session.

export const JOIN_PATH = '/join';

/** Largest request and answer. A fleet of a thousand hosts has an allow-list of 120 kB. */
export const LARGEST_REQUEST_BYTES = 16_384;
export const LARGEST_ANSWER_BYTES = 4_194_304;

const EXPORTER_LABEL = 'EXPORTER-mai-fleet-join';
const EXPORTER_BYTES = 32;

export const joinRequestSchema = z.strictObject({
  version: z.literal(1),
  /** Name that the joiner wants. */
  host: z.string().check(z.maxLength(63)),
  /** Signing request for the joiner's public key, in PEM. */
  signingRequest: z.string(),
  /** Proof that the joiner knows the secret. */
  proof: z.string(),
});
export type JoinRequest = z.output<typeof joinRequestSchema>;

export const joinAnswerSchema = z.union([
  z.strictObject({
    kind: z.literal('admitted'),
    /** Text of the admission in JSON, so that the proof covers each byte of it. */
    admission: z.string(),
    proof: z.string(),
  }),
  z.strictObject({ kind: z.literal('refused'), reason: z.string() }),
]);
export type JoinAnswer = z.output<typeof joinAnswerSchema>;

/** Bytes that only the two ends of a TLS session know (RFC 5705). */
export function sessionBinding(socket: TLSSocket): Buffer {
  return socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
}

/** Proof of one side: HMAC-SHA-256 with the secret over the side, the session and its texts. */
export function proofOf(
  side: 'joiner' | 'server',
  secret: Buffer,
  binding: Buffer,
  texts: readonly string[],
): string {
  // JSON separates the texts, so that no two lists of texts have the same bytes.
  return createHmac('sha256', secret)
    .update(JSON.stringify([side, binding.toString('hex'), ...texts]))
    .digest('hex');
}

export function isProof(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  const right = Buffer.from(expected);
  return bytes.length === right.length && timingSafeEqual(bytes, right);
}
