import { CAPABILITIES, TIERS, type Capability } from '@mai/memory-ledger';
import { z } from 'zod';

import {
  count,
  decodeJson,
  epochText,
  headerText,
  nameText,
  plainText,
  record,
  sentenceText,
  tokens,
  type Decoded,
} from '../state/decoded.js';
import type { LeasedResident, LeaseRequest } from './lease-types.js';

/** Longest request and answer in bytes. */
const MAX_LEASE_MESSAGE_BYTES = 64 * 1024;
/** Maximum number of leases in one renewal or release. */
export const MAX_BATCH = 256;
/** Longest deadline of a request in milliseconds. */
export const MAX_DEADLINE_MS = 60 * 60 * 1000;

const ticket = z.string().regex(/^[0-9a-f]{32}$/, { error: 'not a ticket' });
const token = z.string().regex(/^[0-9a-f]{16}-[1-9][0-9]{0,15}$/, { error: 'not a token' });

const leaseRequest: z.ZodType<LeaseRequest> = z.object({
  // A capability that this host does not know cannot be met, so the request is refused.
  capabilities: z.array(z.enum(CAPABILITIES)).max(50),
  minContextLengthTokens: tokens,
  // Earlier versions do not send it.
  preferredContextLengthTokens: tokens.default(null),
  tiers: z.array(z.enum(TIERS)).max(TIERS.length).nullable(),
  chain: nameText.nullable(),
  modelKey: nameText.nullable(),
  instanceIdentifier: nameText.nullable(),
  failed: z.array(nameText).max(64),
  requestId: plainText(100),
});

const resident: z.ZodType<LeasedResident> = z.object({
  modelKey: nameText,
  instanceIdentifier: nameText,
  tier: z.enum(TIERS),
  capabilities: z
    .array(z.string().max(50))
    .max(50)
    .transform((names) => CAPABILITIES.filter((name: Capability) => names.includes(name))),
  contextLengthTokens: tokens,
  decisionId: headerText.nullable(),
});

/** `acquire`: begins a request. The asker draws the ticket, so that it can give up before it has an answer. */
const acquireMessage = z.object({
  ticket,
  deadlineMs: z.number().int().min(1).max(MAX_DEADLINE_MS),
  request: leaseRequest,
});
export type AcquireMessage = z.infer<typeof acquireMessage>;

/** `await`: asks for the outcome of a request that was promised. */
const awaitMessage = z.object({ ticket });

/** `renew`: keeps leases. `release`: ends leases and requests. */
const ticketsMessage = z.object({ tickets: z.array(ticket).min(1).max(MAX_BATCH) });

const outcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('granted'),
    epoch: epochText,
    token,
    /** The lease ends this long after the grant unless it is renewed. */
    ttlMs: z.number().int().min(1).max(MAX_DEADLINE_MS),
    resident,
  }),
  z.object({ kind: z.literal('promised'), epoch: epochText, expectedMs: count.nullable() }),
  z.object({
    kind: z.literal('refused'),
    epoch: epochText,
    reason: z.string().regex(/^[A-Z][A-Z0-9_]{0,59}$/, { error: 'not a code' }),
    message: sentenceText,
    figures: record(z.number(), 64),
  }),
]);
/** The answer to `acquire` and `await`. */
export type Outcome = z.infer<typeof outcome>;

const renewal = z.object({
  epoch: epochText,
  ttlMs: z.number().int().min(1).max(MAX_DEADLINE_MS),
  /** Leases that have ended. */
  ended: z.array(ticket).max(MAX_BATCH),
});
/** The answer to `renew`. */
export type Renewal = z.infer<typeof renewal>;

const decode =
  <T>(schema: z.ZodType<T>) =>
  (data: Uint8Array): Decoded<T> =>
    decodeJson(data, MAX_LEASE_MESSAGE_BYTES, schema);

export const decodeAcquire = decode(acquireMessage);
export const decodeAwait = decode(awaitMessage);
export const decodeTickets = decode(ticketsMessage);
export const decodeOutcome = decode(outcome);
export const decodeRenewal = decode(renewal);
