import { LMStudioClient } from '@lmstudio/sdk';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { GIB, openAutopilotWorld, type AutopilotWorld } from '../../test/autopilot-world.js';
import type { HostParts } from '../host-parts.js';
import { listModels } from '../model-list/list-models.js';
import type { ActiveLink, RuntimeLink } from '../runtime/connect-runtime.js';
import { withSession } from '../session/session.js';
import { createSpeedLearner } from '../learning/create-speed-learner.js';

const KEY = 'acme/llama-8b';
const FAR = 'ws://far-away:1234';

let world: AutopilotWorld;
let simulator: Simulator;
beforeEach(async () => {
  world = await openAutopilotWorld({
    models: [{ key: KEY, category: 'small', context_window: 4096, capabilities: ['chat'] }],
    fallback_chains: { default: [KEY] },
  });
  simulator = await startSimulator({
    speed: 200,
    world: {
      machine: {
        ramBytes: 64 * GIB,
        gpus: [{ name: 'NVIDIA GeForce RTX 3090', totalBytes: 24 * GIB }],
      },
      models: [
        { modelKey: KEY, sizeBytes: 4_900_000_000, paramsString: '8B', maxContextLength: 8192 },
      ],
      guardrails: { mode: 'off' },
    },
  });
});
afterEach(async () => {
  await simulator[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** The parts of a host whose LM Studio is on another machine. */
function farParts(): HostParts {
  const parts = world.parts({ url: simulator.httpUrl });
  const farAway = (link: ActiveLink): ActiveLink =>
    link.runtime === 'embedded'
      ? link
      : {
          ...link,
          client: {
            ...link.client,
            baseUrl: FAR,
            host: { ...link.client.host, isLocal: false, reason: 'other-host' },
          },
        };
  return {
    ...parts,
    runtime: {
      ...parts.runtime,
      link: async (signal): Promise<RuntimeLink> => {
        const link = await parts.runtime.link(signal);
        return link.kind === 'off' ? link : farAway(link);
      },
    },
  };
}

async function speedOf(parts: HostParts) {
  const { models } = await withSession(parts, {}, (session) => listModels(session, {}));
  const speed = models.find(({ profile }) => profile.modelKey === KEY)?.speed;
  if (speed == null) throw new Error('The speed is not known.');
  return speed;
}

async function learn(parts: HostParts, tokensPerSecond: number): Promise<void> {
  const link = await parts.runtime.link(parts.context.signal);
  if (link.kind === 'off') throw link.reason;
  const residents = await link.client.listResidents();
  const [resident] = residents;
  if (resident === undefined) throw new Error('Nothing is loaded.');
  await createSpeedLearner(parts).answered({
    modelKey: KEY,
    instanceIdentifier: resident.instanceIdentifier,
    depthTokens: 20,
    prompt: null,
    output: { tokens: 100, ms: (100 / tokensPerSecond) * 1000 },
  });
}

test('an LM Studio on another machine: its survey names the GPU, so the speed is known, with a wide interval', async () => {
  const { decodeTokensPerSecond, measured } = await speedOf(farParts());
  expect(measured).toBe(false);
  // Published results of an 8B with 4 bits on an RTX 3090 are 105 to 115 tokens a second.
  expect(decodeTokensPerSecond.expected).toBeGreaterThan(80);
  expect(decodeTokensPerSecond.expected).toBeLessThan(160);
  const { low, high } = decodeTokensPerSecond;
  expect(high / low).toBeGreaterThan(4);
});

test('measurements of another machine teach its speeds, and not those of this machine', async () => {
  const far = farParts();
  const near = world.parts({ url: simulator.httpUrl });
  await using client = new LMStudioClient({ baseUrl: simulator.baseUrl });
  await client.llm.load(KEY, { config: { contextLength: 4096 }, verbose: false });
  const before = await speedOf(near);
  await learn(far, 55);
  const taught = await speedOf(far);
  expect(taught.measured).toBe(true);
  expect(taught.decodeTokensPerSecond.expected).toBeGreaterThan(40);
  expect(taught.decodeTokensPerSecond.expected).toBeLessThan(62);
  expect(await speedOf(near)).toEqual(before);
  await learn(near, 12);
  expect((await speedOf(near)).measured).toBe(true);
  expect(await speedOf(farParts())).toEqual(taught);
});
