import { connect } from '@mai/lmstudio-adapter';
import { startSimulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import type {
  GpuSnapshot,
  PassedOver,
  ResourceMonitor,
  ResourceSnapshot,
} from '@mai/resource-monitor';
import { createResourceMonitor, ResourceMonitorError } from '@mai/resource-monitor';
import { contextOf } from '../host-options.js';
import { checkConfig } from './check-config.js';
import { checkHeadroom } from './check-headroom.js';
import { checkMachine } from './check-machine.js';

const GIB = 1024 ** 3;

const card = (deviceKey: string, name: string): GpuSnapshot => ({
  deviceKey,
  name,
  vendor: 'nvidia',
  kind: 'discrete',
  memory: 'dedicated',
  totalBytes: 12 * GIB,
  usedBytes: 0,
  availableBytes: 12 * GIB,
  utilizationRatio: 0,
  processes: null,
  readAtMs: 0,
});

/** The lines about GPUs on a machine with these cards, of which LM Studio's engine sees `seen`. */
async function gpuLines(...of: Parameters<typeof gpuChecks>) {
  return (await gpuChecks(...of)).map(({ message }) => message);
}

async function gpuChecks(
  seen: number | readonly { readonly name: string; readonly totalBytes: number }[],
  cards: readonly GpuSnapshot[],
  faults: SimulatorOptions['faults'] = [],
  sources: ResourceSnapshot['sources'] = [],
) {
  const gpus =
    typeof seen === 'number'
      ? Array.from({ length: seen }, (_, at) => ({ name: `Card ${at}`, totalBytes: 12 * GIB }))
      : seen;
  await using simulator = await startSimulator({ world: { machine: { gpus } }, faults });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await using real = createResourceMonitor();
  const snapshot = { ...(await real.snapshot()), gpus: cards, sources };
  const own: ResourceMonitor = { ...real, snapshot: () => Promise.resolve(snapshot) };
  const checks = await checkMachine(
    {
      port: own,
      own,
      inform: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    { kind: 'on', runtime: 'lmstudio', client },
    contextOf({}, new AbortController().signal),
  );
  return checks.filter(({ name, state }) => ['GPU', 'Survey'].includes(name) && state !== 'ok');
}

const ONE = [card('a', 'RTX 5090')];
const TWO = [...ONE, card('b', 'RTX 3090')];

// lmstudio-bug-tracker #353 and #2176: "0 GPUs detected", or one of two, on machines where the system shows them.
describe('cards that the engine of LM Studio does not see', () => {
  test.each([
    ['one of one', 1, ONE, []],
    ['none of one', 0, ONE, ["LM Studio's engine cannot use RTX 5090, so models run on the CPU."]],
    ['one of two', 1, TWO, ["LM Studio's engine sees only 1 GPU of RTX 5090, RTX 3090."]],
    ['none on a machine without cards', 0, [], []],
  ])('%s', async (_, seen, cards, lines) => {
    expect(await gpuLines(seen, cards)).toEqual(lines);
  });

  test('are not named where the survey failed', async () => {
    const lines = await gpuLines(0, ONE, [{ type: 'survey-error' }]);
    expect(lines.join()).toMatch(/LM Studio cannot .*\(error\)/);
    expect(lines.join()).not.toContain('so models run on the CPU');
  });
});

// lmstudio-bug-tracker #935 and #1480 (80 of 120 GB with Vulkan), #1216 (19.79 GB for a card of 12 GB).
test.each([
  ['Radeon 8060S Graphics', 120, 80, /80\.0 GiB .* it has 120 GiB.*refused/],
  ['NVIDIA RTX A2000 12GB', 12, 19.79, /19\.8 GiB .* it has 12\.0 GiB.*more layers/],
  ['NVIDIA RTX A2000 12GB', 12, 11.5, null],
])('LM Studio counts another size for %s: %i GiB, and it says %f', async (name, own, its, line) => {
  const shared = name.startsWith('Radeon');
  const gpu: GpuSnapshot = {
    ...card('a', name),
    vendor: shared ? 'amd' : 'nvidia',
    kind: shared ? 'integrated' : 'discrete',
    memory: shared ? 'shared' : 'dedicated',
    totalBytes: own * GIB,
  };
  const lines = await gpuLines([{ name, totalBytes: Math.round(its * GIB) }], [gpu]);
  expect(lines).toEqual(line === null ? [] : [expect.stringMatching(line)]);
});

// unslothai/unsloth #10466: a card was counted that the container could not open.
test('a card that programs of this user cannot open is named with the reason, and not "no GPU"', async () => {
  const source = {
    figure: 'gpu:pci:0000:03:00.0',
    source: null,
    passedOver: [
      {
        source: 'sysfs',
        reason: 'this user may not open /dev/dri/renderD128 (amdgpu)',
        cause: null,
      },
    ],
  };
  expect(await gpuLines(0, [], [], [source])).toEqual([
    'A card is not used: this user may not open /dev/dri/renderD128 (amdgpu).',
  ]);
  // Another reader gives the figures of the card.
  expect(await gpuLines(1, [card('pci:0000:03:00.0', 'RX 7900')], [], [source])).toEqual([]);
});

// Syllo/nvtop #432 and NVIDIA's MIG mode: the driver lists a card, but not the size of its memory.
test('a card whose memory has no known size is a warning', async () => {
  const cards = [{ ...card('a', 'A100'), totalBytes: null, usedBytes: null, availableBytes: null }];
  expect(await gpuLines(1, cards)).toEqual([
    'A100: the size of its memory cannot be read, so Mai plans nothing into it.',
  ]);
});

describe('cards without figures', () => {
  const source = (
    figure: string,
    reason: string,
    cause: PassedOver['cause'] = null,
  ): ResourceSnapshot['sources'][number] => ({
    figure,
    source: null,
    passedOver: [{ source: 'nvidia-smi', reason, cause }],
  });
  const hidden = { ...card('a', 'A100'), availableBytes: null, usedBytes: null };
  const lines = (cards: readonly GpuSnapshot[], ...sources: ResourceSnapshot['sources']) =>
    gpuLines(cards.length, cards, [], sources);

  test.each([
    ['the driver prints [N/A] for free memory', hidden, /free memory.*\[N\/A\].*total memory/],
    [
      'the driver prints [Insufficient Permissions] for total memory',
      { ...hidden, totalBytes: null },
      /size of its memory.*Insufficient Permissions.*plans nothing/,
    ],
  ])('are named with the reason: %s', async (reason, one, text) => {
    expect((await lines([one], source('gpu:a', reason))).join()).toMatch(text);
  });

  // What nvidia-smi prints after an update of the driver, until the machine is restarted.
  test('a driver that fails is not called a machine without a GPU', async () => {
    const reason = 'nvidia-smi said: Failed to initialize NVML: Driver/library version mismatch';
    expect(await lines([], source('gpus', reason))).toEqual([
      'No GPU can be read: nvidia-smi said: Failed to initialize NVML: Driver/library version mismatch.',
    ]);
  });

  test.each(['not-installed', 'no-device'] as const)(
    'a machine without a card has no warning where the cause is %s',
    async (cause) => {
      expect(await lines([], source('gpus', 'any text', cause))).toEqual([]);
    },
  );

  const mends = async (cards: readonly GpuSnapshot[], ...sources: ResourceSnapshot['sources']) =>
    (await gpuChecks(cards.length, cards, [], sources)).map(({ mend }) => mend);

  test('suspended cards are named, and a restart is not proposed', async () => {
    const asleep = source('gpus', 'all NVIDIA GPUs are suspended', 'suspended');
    expect(await lines([], asleep)).toEqual(['No GPU can be read: all NVIDIA GPUs are suspended.']);
    expect(await mends([], asleep)).toEqual([null]);
  });

  // On Linux, the kernel lists a card of NVIDIA also where nvidia-smi is not installed.
  test.each([
    ['not-installed', [expect.stringContaining('nvidia-smi')]],
    [null, [null]],
  ] as const)('the tool is proposed only where it is missing: %s', async (cause, expected) => {
    const own = source('gpu:a', 'the driver nvidia reports no memory in sysfs');
    const list = source('gpus', 'any text', cause);
    expect(await mends([{ ...hidden, totalBytes: null }], own, list)).toEqual(expected);
  });
});

test('memory that cannot be read is a fault, and does not end the other checks', async () => {
  await using own = createResourceMonitor();
  const message = "This machine's memory cannot be read: os.freemem(): reports a total of 0 bytes.";
  const failing: ResourceMonitor = {
    ...own,
    snapshot: () => Promise.reject(new ResourceMonitorError('PROBE_FAILED', message)),
  };
  const monitor = {
    port: failing,
    own: failing,
    inform: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const context = contextOf({ env: {} }, new AbortController().signal);
  expect(await checkMachine(monitor, null, context)).toEqual([
    { name: 'Memory', state: 'fault', message, mend: null },
  ]);
  const { config } = await checkConfig(context);
  if (config === null) throw new Error('The built-in configuration has a fault.');
  expect(await checkHeadroom(config, { monitor }, context.signal)).toEqual([]);
});
