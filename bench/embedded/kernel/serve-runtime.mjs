// The gateway in front of one runtime without Mai's decisions: each request goes to the resident, or waits for one.
import { EventEmitter, on } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createGateway } from '@mai/gateway';
import { MODELS } from './models.mjs';

const POLL_MS = 50;

/** Opens the gateway. Call `changed()` after each load and unload. */
export async function serveRuntime(runtime) {
  const changes = new EventEmitter();
  const acquire = async (_request, { signal } = {}) => {
    for (;;) {
      const [resident] = await runtime.listResidents({ signal });
      const address = resident && (await addressOf(runtime, resident));
      if (address) return leaseOn(resident, address);
      await delay(POLL_MS, undefined, { signal });
    }
  };
  const gateway = await createGateway({
    serving: {
      catalog: async () => catalogOf(await runtime.listResidents()),
      acquire,
      plan: async () => planOf(await runtime.listResidents()),
      changes: async function* ({ signal } = {}) {
        for await (const [change] of on(changes, 'change', { signal })) yield change;
      },
    },
  });
  const { url } = await gateway.listen({ port: 0 });
  return {
    url,
    changed: () => changes.emit('change', { type: 'catalog' }),
    close: () => gateway[Symbol.asyncDispose](),
  };
}

/** Undefined: the resident was unloaded meanwhile. */
function addressOf(runtime, { instanceIdentifier }) {
  return runtime.addressOf(instanceIdentifier).catch(() => undefined);
}

function leaseOn({ instanceIdentifier, modelKey, contextLengthTokens }, address) {
  return {
    instanceIdentifier,
    modelKey,
    contextLengthTokens,
    tier: tierOf(modelKey),
    capabilities: ['chat'],
    decisionId: null,
    baseUrl: new URL(address.baseUrl).origin,
    requestHeaders: address.requestHeaders,
    // Each request asks anew, because the policy may have changed the resident.
    forOneRequest: true,
    peer: null,
    ended: null,
    placementId: null,
    lost: new AbortController().signal,
    release: () => Promise.resolve(),
  };
}

function catalogOf(residents) {
  return {
    models: MODELS.map(({ name, contextLengthTokens }) => ({
      modelKey: name,
      displayName: name,
      kind: 'llm',
      tier: tierOf(name),
      capabilities: ['chat'],
      contextLengthTokens,
      maxContextLengthTokens: null,
      sizeBytes: null,
      downloaded: true,
      hosts: null,
      residents: residents
        .filter(({ modelKey }) => modelKey === name)
        .map((one) => ({
          instanceIdentifier: one.instanceIdentifier,
          contextLengthTokens: one.contextLengthTokens,
          foreign: false,
          host: null,
        })),
    })),
    chains: { default: MODELS.map(({ name }) => name) },
    aliases: [],
    otherNames: {},
    leftOut: {},
    unreachableNote: null,
    hosts: null,
    runtime: 'embedded',
    runtimeAnswers: true,
    runtimeVersion: null,
    decisionId: null,
  };
}

/** Without a resident, the policy loads one, and the request waits for it. */
function planOf([resident]) {
  return {
    decision: resident === undefined ? 'load' : 'serve',
    modelKey: resident?.modelKey ?? null,
    unloads: [],
    loadBytes: null,
    selection: { decision: 'keep', rejected: [] },
  };
}

/** The models are named after their tiers. */
function tierOf(name) {
  return name;
}
