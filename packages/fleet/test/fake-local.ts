import type {
  ServingCatalog,
  ServingChange,
  ServingLease,
  ServingPort,
  ServingRequest,
} from '../src/serving/serving-port.js';

/** The serving port of a machine that has one small model, or refuses. */
export interface FakeLocal extends ServingPort {
  readonly asked: ServingRequest[];
  /** Thrown by the next acquires; null: none. */
  failure: Error | null;
  released: number;
  change(change: ServingChange): void;
}

export const LOCAL_CATALOG: ServingCatalog = {
  models: [
    {
      modelKey: 'small',
      displayName: 'Small',
      kind: 'llm',
      tier: 'small',
      capabilities: ['chat'],
      contextLengthTokens: 16_384,
      maxContextLengthTokens: 32_768,
      sizeBytes: 2e9,
      downloaded: true,
      hosts: null,
      residents: [
        {
          instanceIdentifier: 'mai:small',
          contextLengthTokens: 16_384,
          foreign: false,
          host: null,
        },
      ],
    },
  ],
  chains: { default: ['small'], private: ['small'] },
  aliases: [],
  otherNames: {},
  leftOut: {},
  unreachableNote: null,
  hosts: null,
  runtime: 'lmstudio',
  runtimeAnswers: true,
  runtimeVersion: '0.4.21',
  decisionId: 'd-1',
};

export function fakeLocal(): FakeLocal {
  const waiting: ServingChange[] = [];
  let wake: () => void = () => undefined;
  const local: FakeLocal = {
    asked: [],
    failure: null,
    released: 0,
    catalog: async () => LOCAL_CATALOG,
    acquire: async (request) => {
      local.asked.push(request);
      if (local.failure !== null) throw local.failure;
      return leaseOf(() => (local.released += 1));
    },
    plan: async () => ({
      decision: 'serve',
      modelKey: 'small',
      unloads: [],
      loadBytes: null,
      selection: { decision: 'keep', rejected: [] },
    }),
    changes: async function* ({ signal } = {}) {
      signal?.addEventListener('abort', () => wake());
      while (signal?.aborted !== true) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    change: (change) => {
      waiting.push(change);
      wake();
    },
  };
  return local;
}

function leaseOf(onRelease: () => void): ServingLease {
  return {
    modelKey: 'small',
    instanceIdentifier: 'mai:small',
    tier: 'small',
    capabilities: ['chat'],
    contextLengthTokens: 16_384,
    baseUrl: 'http://127.0.0.1:1234',
    requestHeaders: {},
    decisionId: 'd-1',
    peer: null,
    forOneRequest: false,
    ended: null,
    placementId: null,
    lost: new AbortController().signal,
    release: async () => onRelease(),
  };
}
