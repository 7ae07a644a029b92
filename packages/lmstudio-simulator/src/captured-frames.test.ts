import { readFileSync } from 'node:fs';
import path from 'node:path';
import { connectSdk, rejection, until } from '../test/connect-sdk.js';
import type { SimulatedFrame, WorldInput } from './index.js';
import { startSimulator } from './index.js';

/**
 * Where a frame is from. `sdk`: the published SDK 2.0.0 sends the frame. `lm-studio`: public captures of LM Studio
 * have these keys and forms of values. Names and sizes are the test world's. `protocol`: lmstudio-js' protocol code
 * has these keys and types. The values are made up. `invented`: no source shows LM Studio's frame. The SDK accepts
 * the keys.
 */
type FrameSource = 'sdk' | 'lm-studio' | 'protocol' | 'invented';

// Abridged with '…'.
interface CapturedFrame extends SimulatedFrame {
  readonly scene: string;
  readonly source: FrameSource;
}
const CAPTURED = JSON.parse(
  readFileSync(path.join(__dirname, '../test/captured-frames.json'), 'utf8'),
) as readonly CapturedFrame[];

const GIB = 2 ** 30;
const FILE = 'lmstudio-community/Qwen3-4B-GGUF/Qwen3-4B-';
const WORLD: WorldInput = {
  machine: {
    name: 'ref-machine',
    cpuName: 'RefCPU 8-core',
    ramBytes: 32 * GIB,
    gpus: [{ name: 'NVIDIA RefGPU', totalBytes: 12 * GIB }],
    loadBytesPerSecond: 1e15,
  },
  models: [
    {
      modelKey: 'qwen/qwen3-4b',
      displayName: 'Qwen3 4B',
      sizeBytes: 2_497_280_448,
      path: `${FILE}Q4_K_M.gguf`,
      paramsString: '4B',
      architecture: 'qwen3',
      trainedForToolUse: true,
      variants: [
        {
          name: 'q4_k_m',
          sizeBytes: 2_497_280_448,
          quantization: { name: 'Q4_K_M', bits: 4 },
          path: `${FILE}Q4_K_M.gguf`,
        },
        {
          name: 'q8_0',
          sizeBytes: 4_280_404_704,
          quantization: { name: 'Q8_0', bits: 8 },
          path: `${FILE}Q8_0.gguf`,
        },
      ],
    },
    { modelKey: 'google/gemma-3-12b', sizeBytes: 7e9 },
    { modelKey: 'meta-llama-3.3-70b-instruct', sizeBytes: 42e9 },
    { modelKey: 'crashy-7b', sizeBytes: 4e9 },
    { modelKey: 'slow-7b', sizeBytes: 4e9 },
    { modelKey: 'text-embedding-nomic-embed-text-v1.5', type: 'embedding', sizeBytes: 84_106_624 },
  ],
  guardrails: { mode: 'off' },
};

// The comparable frames of an endpoint: one for each kind of message.
function kindOf({ frame }: SimulatedFrame): string {
  const { type, message } = frame as { type?: string; message?: { type?: string } };
  return [type ?? 'authentication', message?.type].filter(Boolean).join(' ');
}

/** The keys and types of a frame, without values. Parts that the capture leaves out are not compared. */
function shapeOf(value: unknown, captured: unknown): unknown {
  if (Array.isArray(value)) {
    const [first] = value as unknown[];
    const [shown] = Array.isArray(captured) ? (captured as unknown[]) : [];
    return first === undefined || shown === '…' ? 'array' : [shapeOf(first, shown)];
  }
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const shown = (captured ?? {}) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, item]) => [key, shapeOf(item, shown[key])]),
  );
}

async function playTheScenes(): Promise<ReadonlyMap<string, readonly SimulatedFrame[]>> {
  const scenes = new Map<string, SimulatedFrame[]>();
  let current: SimulatedFrame[] = [];
  await using simulator = await startSimulator({
    world: WORLD,
    onFrame: (frame) => void current.push(frame),
  });
  await using connection = connectSdk(simulator.baseUrl);
  const { client } = connection;
  const scene = async (name: string, play: () => Promise<unknown>): Promise<void> => {
    current = [];
    scenes.set(name, current);
    await play();
  };

  await scene('version', () => client.system.getLMStudioVersion());
  scenes.set('Auth handshake', scenes.get('version') ?? []);
  await scene('listDownloadedModels', () => client.system.listDownloadedModels());
  await scene('listDownloadedModelVariants', () =>
    client.system.listDownloadedModelVariants('qwen/qwen3-4b'),
  );
  await scene('estimateModelUsage', () =>
    client.llm.estimateResourcesUsage('qwen/qwen3-4b', {
      contextLength: 16_384,
      gpu: { ratio: 0.5 },
      flashAttention: true,
    }),
  );
  await scene('surveyHardware', () => client.runtime.surveyHardware({ type: 'selected' }));
  await scene('getEngineSelections (superjson)', () => client.runtime.engine.getSelections());
  await scene('lmLinkStatus', () => client.repository.lmLink.status());

  const load = client.llm.load('qwen/qwen3-4b', {
    identifier: 'my-id',
    ttl: 600,
    verbose: false,
    config: { contextLength: 8192, gpu: { ratio: 0.5 } },
  });
  await scene('loadModel (llm)', () => load);
  const model = await load;
  await scene('listLoaded', () => client.llm.listLoaded());
  await scene('getModelInfo', () => model.getModelInfo());
  await scene('getInstanceProcessingState', () => model.getInstanceProcessingState());
  await scene('getLoadConfig', () => model.getLoadConfig());
  await scene('predict', () => model.respond('hi', { temperature: 0.2, maxTokens: 3 }));
  await scene('loadModel, unknown model', () =>
    rejection(client.llm.load('nope', { verbose: false })),
  );
  simulator.fault.crashLoad({ modelKey: 'crashy-7b' });
  await scene('loadModel, engine crash half-way', () =>
    rejection(client.llm.load('crashy-7b', { verbose: false })),
  );
  simulator.fault.stallLoad({ modelKey: 'slow-7b' });
  await scene('loadModel, cancelled by the client', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const outcome = rejection(client.llm.load('slow-7b', { verbose: false, signal }));
    await simulator.seen('loadModel', 4);
    controller.abort();
    await outcome;
    await until(() => current.some((frame) => kindOf(frame) === 'channelError'));
  });
  const embedding = client.embedding.load('text-embedding-nomic-embed-text-v1.5', {
    config: { contextLength: 512 },
    verbose: false,
  });
  await scene('loadModel (embedding)', () => embedding);
  const embedder = await embedding;
  await scene('embedString', () => embedder.embed('hello'));
  await scene('unloadModel', async () => {
    await rejection(client.llm.unload('zzz'));
    await client.llm.unload('my-id');
  });
  await scene('getOrLoad (client.llm.model), autoFit: true', () =>
    client.llm.model('qwen/qwen3-4b', { verbose: false, config: { autoFit: true } }),
  );
  expect(connection.logged).toEqual([]);
  return scenes;
}

let played: ReadonlyMap<string, readonly SimulatedFrame[]>;
beforeAll(async () => {
  played = await playTheScenes();
});

test.each(
  CAPTURED.filter(({ direction }) => direction === 'sent').map(
    (captured) => [captured.scene, kindOf(captured), captured.source, captured] as const,
  ),
)('%s: %s has the shape of its source (%s)', (scene, kind, _, captured) => {
  const mine = (played.get(scene) ?? []).filter(
    (frame) =>
      frame.direction === 'sent' &&
      frame.namespace === captured.namespace &&
      kindOf(frame) === kind,
  );
  expect(mine.map(({ frame }) => shapeOf(frame, captured.frame))).toContainEqual(
    shapeOf(captured.frame, captured.frame),
  );
});

// These frames equal the recorded frames, except for ids and stacks.
test.each([
  'version',
  'listDownloadedModels',
  'listDownloadedModelVariants',
  'surveyHardware',
  'getEngineSelections (superjson)',
  'loadModel, unknown model',
  'loadModel, engine crash half-way',
  'loadModel, cancelled by the client',
  'unloadModel',
  'lmLinkStatus',
])('%s: the answers equal the recorded answers', (scene) => {
  const answers = (frames: readonly SimulatedFrame[]): readonly unknown[] =>
    frames
      .filter((frame) => frame.direction === 'sent' && /rpc|channelError/.test(kindOf(frame)))
      .map(({ frame }) => withoutIds(frame));
  const captured = CAPTURED.filter((frame) => frame.scene === scene);
  expect(answers(played.get(scene) ?? [])).toMatchObject(answers(captured) as object[]);
});

function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) {
    return (value as unknown[])
      .filter((item) => item !== '…')
      .map(withoutIds)
      .slice(0, 1);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !['callId', 'channelId', 'stack'].includes(key))
      .map(([key, item]) => [key, withoutIds(item)]),
  );
}

test.each(CAPTURED.map((frame, index) => [index, frame] as const))(
  'frame %d has a source',
  (_, { source, direction }) => {
    expect(['sdk', 'lm-studio', 'protocol', 'invented']).toContain(source);
    expect(source === 'sdk').toBe(direction === 'received');
  },
);

test("the SDK's own frames have the recorded shape, too", () => {
  const kinds = CAPTURED.filter(({ direction }) => direction === 'received');
  for (const { scene, namespace, frame } of kinds) {
    const sent = (played.get(scene) ?? [])
      .filter((mine) => mine.direction === 'received' && mine.namespace === namespace)
      .map((mine) => Object.keys(mine.frame as object).sort());
    expect(sent).toContainEqual(Object.keys(frame as object).sort());
  }
});
