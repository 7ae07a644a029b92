import { CAPABILITIES, isName, oneLine, TIERS, type Capability } from '@mai/memory-ledger';
import { z } from 'zod';

import {
  count,
  decodeJson,
  epochText,
  figure,
  headerText,
  hostName,
  nameText,
  plainText,
  ratio,
  record,
  tokens,
  type Decoded,
} from './decoded.js';
import type { HostModel, HostState } from './host-state.js';

/** Longest state in bytes. A host with more models than fit leaves some out. */
export const MAX_STATE_BYTES = 128 * 1024;

const MAX_MODELS = 1000;
const MAX_RESIDENTS = 32;

const range = z
  .object({ expected: figure, low: figure, high: figure })
  .refine(({ expected, low, high }) => low <= expected && expected <= high, {
    error: 'low <= expected <= high does not hold',
  });

const speed = z.object({
  decodeTokensPerSecond: range,
  promptTokensPerSecond: range,
  loadMs: range.nullable(),
  measured: z.boolean(),
});

/** Capabilities of a newer version are left out. */
const capabilities = z
  .array(z.string().max(50))
  .max(50)
  .transform((names) => CAPABILITIES.filter((name: Capability) => names.includes(name)));

const resident = z.object({
  instanceIdentifier: nameText,
  contextLengthTokens: tokens,
  footprintBytes: count.nullable(),
  foreign: z.boolean(),
  parallel: z.number().int().min(1).max(1024),
});

const model = z.object({
  modelKey: nameText,
  displayName: nameText,
  kind: z.enum(['llm', 'embedding']),
  digest: headerText.nullable(),
  tier: z.enum(TIERS),
  capabilities,
  contextLengthTokens: tokens,
  maxContextLengthTokens: tokens,
  sizeBytes: count.nullable(),
  fit: z.enum(['now', 'after-eviction', 'no']).nullable(),
  speed: speed.nullable(),
  quality: ratio.nullable(),
  residents: z.array(resident).max(MAX_RESIDENTS),
});

const state: z.ZodType<HostState> = z.object({
  host: hostName,
  epoch: epochText,
  revision: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
  address: z
    .string()
    .max(300)
    .refine(isGatewayAddress, { error: 'not the address of a gateway' })
    .nullable(),
  versions: z.object({
    mai: plainText(50),
    runtime: plainText(50).nullable(),
    runtimeVersion: plainText(50).nullable(),
  }),
  labels: record(plainText(300), 50),
  pools: z.array(z.object({ pool: nameText, totalBytes: count, limitBytes: count })).max(64),
  models: z.array(model).max(MAX_MODELS),
  chains: record(z.array(nameText).max(MAX_MODELS), 50),
  guests: z.object({ memoryRatio: ratio }).nullable(),
});

/**
 * Reads the state of `host`, as a bucket or an answer delivers it.
 *
 * @param host the host that the key or the answer names; a state with another name is refused
 */
export function decodeHostState(data: Uint8Array, host: string): Decoded<HostState> {
  const decoded = decodeJson(data, MAX_STATE_BYTES, state);
  if (decoded.ok && decoded.value.host !== host)
    return { ok: false, reason: `host: ${decoded.value.host}, but its key is ${host}` };
  return decoded;
}

/**
 * The state as JSON of at most `MAX_STATE_BYTES` bytes. Where it would be longer, models are left out from the end of the list:
 * those that do not fit in memory first, and models with residents last. Entries with a name that readers refuse are left out, too,
 * because readers would refuse the whole state.
 */
export function encodeHostState(whole: HostState): string {
  const full = withPlainNames(whole);
  const models = full.models
    .map((one) => ({ ...one, residents: one.residents.slice(0, MAX_RESIDENTS) }))
    .map((one, index) => ({ one, index }))
    .sort((a, b) => usefulness(b.one) - usefulness(a.one) || a.index - b.index)
    .slice(0, MAX_MODELS);
  let text = encode(full, models);
  while (Buffer.byteLength(text) > MAX_STATE_BYTES && models.length > 0) {
    models.length = Math.floor(models.length * 0.9);
    text = encode(full, models);
  }
  return text;
}

function encode(
  full: HostState,
  models: readonly { readonly one: HostModel; readonly index: number }[],
): string {
  const inOrder = [...models].sort((a, b) => a.index - b.index).map(({ one }) => one);
  return JSON.stringify({ ...full, models: inOrder });
}

function withPlainNames(full: HostState): HostState {
  return {
    ...full,
    labels: Object.fromEntries(
      Object.entries(full.labels).map(([name, value]) => [name, oneLine(value).slice(0, 300)]),
    ),
    models: full.models
      .filter(({ modelKey }) => isName(modelKey))
      .map((one) => ({
        ...one,
        displayName: isName(one.displayName) ? one.displayName : one.modelKey,
        residents: one.residents.filter((resident) => isName(resident.instanceIdentifier)),
      })),
    chains: Object.fromEntries(
      Object.entries(full.chains)
        .filter(([name]) => isName(name))
        .map(([name, keys]) => [name, keys.filter(isName)]),
    ),
  };
}

function usefulness({ residents, fit }: HostModel): number {
  if (residents.length > 0) return 3;
  return fit === 'now' ? 2 : fit === 'no' ? 0 : 1;
}

/**
 * Whether a text is the origin of an HTTPS server. Plain HTTP is refused also on loopback: it has no certificate to check, so a host
 * could have others send their requests to programs on their own machines.
 */
function isGatewayAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin } = new URL(text);
  return origin === text && protocol === 'https:';
}
