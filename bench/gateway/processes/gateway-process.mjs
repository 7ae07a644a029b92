// The gateway over a port with one resident model, which is the upstream of the benchmark. Prints its port.
import { createGateway } from '@mai/gateway';

const baseUrl = process.env.UPSTREAM;
const model = {
  modelKey: 'bench/model',
  displayName: 'Bench',
  kind: 'llm',
  tier: 'medium',
  capabilities: ['chat', 'tools', 'vision'],
  contextLengthTokens: 131_072,
  maxContextLengthTokens: 131_072,
  sizeBytes: 4e9,
  downloaded: true,
  hosts: null,
  residents: [
    {
      instanceIdentifier: 'bench/model',
      contextLengthTokens: 131_072,
      foreign: false,
      host: null,
    },
  ],
};
const serving = {
  catalog: async () => ({
    models: [model],
    chains: { default: ['bench/model'] },
    aliases: [],
    otherNames: {},
    leftOut: {},
    unreachableNote: null,
    hosts: null,
    runtime: 'lmstudio',
    runtimeAnswers: true,
    runtimeVersion: '0.4.21',
    decisionId: 'bench-1',
  }),
  plan: async () => ({
    decision: 'serve',
    modelKey: 'bench/model',
    unloads: [],
    loadBytes: null,
    selection: { decision: 'keep', rejected: [] },
  }),
  acquire: async () => ({
    modelKey: 'bench/model',
    instanceIdentifier: 'bench/model',
    tier: 'medium',
    capabilities: model.capabilities,
    contextLengthTokens: 131_072,
    baseUrl,
    requestHeaders: {},
    decisionId: 'bench-1',
    peer: null,
    forOneRequest: false,
    ended: null,
    placementId: null,
    lost: new AbortController().signal,
    release: async () => undefined,
  }),
  changes: ({ signal }) => silence(signal),
};
const gateway = await createGateway({ serving });
const { port } = await gateway.listen({ port: 0 });
process.once('SIGINT', () => process.exit(0));
console.log(JSON.stringify({ port }));

/** No change until the signal fires. */
async function* silence(signal) {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  yield* [];
}
