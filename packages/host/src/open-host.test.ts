import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MonitorPort } from '@mai/autopilot';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator, withMemoryInUse } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import { NO_REQUIREMENT } from '@mai/selector';
import type { HostOptions } from './host-options.js';
import type { Host } from './host.js';
import { openHost } from './open-host.js';

const GIB = 1024 ** 3;
const NOBODY = '127.0.0.1:9';

let folder: string;
let simulator: Simulator;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
  const model = (modelKey: string, gib: number) => ({
    modelKey,
    sizeBytes: gib * GIB,
    maxContextLength: 16_384,
  });
  simulator = await startSimulator({
    speed: 200,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [model('test/huge', 40), model('test/large', 12), model('test/small', 2)],
      guardrails: { mode: 'off' },
    },
  });
});
afterEach(async () => {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

const CONFIG: ModelConfigFile = {
  version: 1,
  models: ['huge', 'large', 'small'].map((name) => ({
    key: `test/${name}`,
    context_window: 8192,
    capabilities: ['chat' as const],
    category: name === 'small' ? ('small' as const) : ('large' as const),
  })),
  fallback_chains: { default: ['test/huge', 'test/large', 'test/small'] },
  switching: { drain_deadline: '1s' },
};

/** A machine of 32 GiB. Other programs use 6 GiB, and the simulated models use their memory. */
const monitor: MonitorPort = {
  snapshot: () =>
    Promise.resolve(
      withMemoryInUse(
        {
          timestampMs: Date.now(),
          observable: true,
          ram: { totalBytes: 32 * GIB, availableBytes: 26 * GIB, mappedCountsAsUsed: true },
          unified: false,
          gpus: [],
          cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
        },
        simulator.memoryInUse(),
      ),
    ),
  readRam: null,
  settled: null,
};

const options = (changes: HostOptions = {}): HostOptions => ({
  url: simulator.httpUrl,
  config: CONFIG,
  monitor,
  apiToken: '',
  env: {},
  cwd: folder,
  userHome: folder,
  warn: () => undefined,
  ...changes,
});

test('acquire loads the best model that fits, and gives the address for clients', async () => {
  await using host = await openHost(options());
  await using lease = await host.acquire({ capabilities: ['chat'], minContextLengthTokens: 8192 });
  expect(lease.modelKey).toBe('test/large');
  expect(lease.baseUrl).toBe(`${simulator.httpUrl}/v1`);
  expect(simulator.residents().map((one) => one.instanceIdentifier)).toEqual([
    lease.instanceIdentifier,
  ]);
});

test('where no model meets the requirement, acquire throws NOTHING_FITS with the reason for each model', async () => {
  await using host = await openHost(options());
  await expect(host.acquire({ capabilities: ['vision'] })).rejects.toMatchObject({
    code: 'NOTHING_FITS',
    selection: {
      rejected: ['test/huge', 'test/large', 'test/small'].map((modelKey) => ({
        modelKey,
        rejection: { code: 'MISSING_CAPABILITY', missing: ['vision'] },
      })),
    },
  });
});

describe('a resident that has no room beside a better model', () => {
  // Limit 25.6 of 32 GiB. Other programs use 6, so test/large does not fit beside test/small.
  const switching = async (config: ModelConfigFile, pin: (host: Host) => Promise<unknown>) => {
    await using host = await openHost(options({ config }));
    await host.switchModel({ requirement: { ...NO_REQUIREMENT, tiers: ['small'] } });
    await pin(host);
    const { models } = await host.models();
    const { selection } = await host.select();
    const { outcome } = await host.switchModel();
    return {
      isLargeOffered:
        models.find(({ profile }) => profile.modelKey === 'test/large')?.rejection === null,
      decision: selection.decision,
      outcome,
      residents: simulator.residents().map(({ modelKey }) => modelKey),
    };
  };

  test('is unloaded by select and switchModel where it is not pinned', async () => {
    expect(await switching(CONFIG, () => Promise.resolve())).toEqual({
      isLargeOffered: true,
      decision: 'switch',
      outcome: 'switched',
      residents: ['test/large'],
    });
  });

  test.each([
    ['by hand', CONFIG, (host: Host) => host.pin('test/small')],
    ['in the configuration', { ...CONFIG, pins: ['test/small'] }, () => Promise.resolve()],
  ])('stays loaded where it is pinned %s', async (_where, config, pin) => {
    expect(await switching(config, pin)).toEqual({
      isLargeOffered: false,
      decision: 'keep',
      outcome: 'kept',
      residents: ['test/small'],
    });
  });

  test('stays loaded where a yield leaves no room for the better model', async () => {
    expect(await switching(CONFIG, (host) => host.yieldMemory({ bytes: 12 * GIB }))).toEqual({
      isLargeOffered: false,
      decision: 'keep',
      outcome: 'kept',
      residents: ['test/small'],
    });
  });

  test('is not touched by switchModel while the journal of pins is malformed, and select warns', async () => {
    const warnings: string[] = [];
    await using host = await openHost(
      options({ dataFolder: folder, warn: (message) => warnings.push(message) }),
    );
    await host.switchModel({ requirement: { ...NO_REQUIREMENT, tiers: ['small'] } });
    await host.pin('test/small');
    const journal = path.join(
      folder,
      'autopilot',
      encodeURIComponent(`127.0.0.1:${simulator.port}`),
      'journal.json',
    );
    await access(journal);
    await writeFile(journal, 'not a journal');
    expect((await host.select()).selection.decision).toBe('switch');
    expect(warnings).toEqual([
      expect.stringMatching(/^The pins and yields are not known\. .*not a journal/),
    ]);
    await expect(host.switchModel()).rejects.toMatchObject({ code: 'JOURNAL_UNUSABLE' });
    expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual(['test/small']);
  });
});

test('the list of models and the estimate of each model give the same verdict and footprint', async () => {
  await using host = await openHost(options());
  for (const contextLengthTokens of [null, 16_384]) {
    const { models } = await host.models({ contextLengthTokens });
    expect(models.map(({ rejection }) => rejection === null)).toEqual([false, true, true]);
    for (const { profile, footprint, rejection } of models) {
      const settings = { contextLengthTokens };
      const { fit } = await host.estimate({ model: profile.modelKey, settings });
      expect([fit?.footprint, fit?.rejection]).toEqual([footprint, rejection]);
    }
  }
});

test('an estimate asks LM Studio once for each load configuration, and contains the answer', async () => {
  await using host = await openHost(options());
  const { lmStudio } = await host.estimate({ model: 'test/small' });
  const asked = simulator.requests
    .filter(({ endpoint }) => endpoint === 'estimateModelUsage')
    .map(({ parameter }) => JSON.stringify(parameter));
  expect(asked.length).toBeGreaterThan(0);
  expect(new Set(asked).size).toBe(asked.length);
  expect(lmStudio?.totalBytes).toBeGreaterThan(2 * GIB);
});

test('the list and the estimate also give the same verdict where a resident must be unloaded first', async () => {
  await using host = await openHost(options());
  await host.switchModel();
  expect(simulator.residents()).toHaveLength(1);
  const { models } = await host.models();
  for (const { profile, rejection } of models) {
    const { fit } = await host.estimate({ model: profile.modelKey });
    expect(fit?.rejection).toEqual(rejection);
  }
});

test('while LM Studio is off, questions are answered, and acquire and load throw UNREACHABLE', async () => {
  await using host = await openHost(options({ url: NOBODY }));
  expect((await host.status()).runtime.state).toBe('off');
  expect(await host.models()).toMatchObject({ models: [], downloadedCount: 0 });
  const { selection, obstacle } = await host.select();
  expect(selection.chosen).toBeNull();
  expect(obstacle).toMatchObject({ kind: 'nothing-downloaded' });
  expect((await host.decisions()).episodes).toEqual([]);
  expect((await host.journal()).pins).toEqual([]);
  for (const call of [() => host.acquire(), () => host.load({ models: ['test/small'] })]) {
    await expect(call()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  }
});

test('a host notices that LM Studio has stopped, and that it is back', async () => {
  await using host = await openHost(options());
  expect((await host.select()).runtimeIsOn).toBe(true);
  const port = Number(new URL(simulator.httpUrl).port);
  const { world } = simulator;
  await simulator.stop();
  expect(await host.select()).toMatchObject({
    runtimeIsOn: false,
    obstacle: { kind: 'nothing-downloaded' },
  });
  simulator = await startSimulator({ speed: 200, port, world: { models: world.models } });
  expect((await host.select()).runtimeIsOn).toBe(true);
});

// The first `draining` event cancels the switch, so the test does not wait for the deadline.
test.each([
  ['90s', 90_000],
  [undefined, 60_000],
])(
  'with drain_deadline %s, a switch waits at most %i ms for a busy model',
  async (deadline, ms) => {
    const switching = deadline === undefined ? {} : { drain_deadline: deadline };
    await using host = await openHost(options({ config: { ...CONFIG, switching } }));
    await host.load({ models: ['test/small'] });
    await host.unpin({ all: true });
    simulator.setBusy('mai/test/small', {});
    const enough = new AbortController();
    const deadlines: number[] = [];
    const switched = host.switchModel(
      {},
      {
        signal: enough.signal,
        onEvent: (event) => {
          if (event.type !== 'draining') return;
          deadlines.push(event.deadlineMs);
          enough.abort(new Error('enough'));
        },
      },
    );
    await expect(switched).rejects.toThrow('enough');
    expect(deadlines).toEqual([ms]);
    expect(simulator.residents()).toMatchObject([{ modelKey: 'test/small' }]);
  },
);

test('the autopilot waits for a busy model until the configured drain_deadline', async () => {
  const config = { ...CONFIG, switching: { drain_deadline: '90s', dwell: '1s', cool_down: '1s' } };
  await using host = await openHost(options({ config }));
  await host.load({ models: ['test/small'] });
  await host.unpin({ all: true });
  simulator.setBusy('mai/test/small', {});
  await using autopilot = await host.startAutopilot({ intervalMs: 20 });
  let deadlineMs: number | null = null;
  for await (const event of autopilot.events) {
    if (event.type !== 'switch-step' || event.step.type !== 'draining') continue;
    deadlineMs = event.step.deadlineMs;
    break;
  }
  expect(deadlineMs).toBe(90_000);
  simulator.setBusy('mai/test/small', { status: 'idle' });
});

test('a switch leaves a model loaded that is still busy at the deadline', async () => {
  await using host = await openHost(options());
  // Remove the pin, so that a switch would replace this model by a better one.
  await host.load({ models: ['test/small'] });
  await host.unpin({ all: true });
  simulator.setBusy('mai/test/small', {});
  const deadlines = new Set<number>();
  const report = await host.switchModel(
    {},
    {
      onEvent: (event) => {
        if (event.type === 'draining') deadlines.add(event.deadlineMs);
      },
    },
  );
  expect([...deadlines]).toEqual([1000]);
  expect(report.busy).toEqual(['mai/test/small']);
});

test('a token file that is empty or missing is an error', async () => {
  const apiTokenFile = path.join(folder, 'token');
  await writeFile(apiTokenFile, '\n');
  await expect(openHost(options({ apiTokenFile }))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('is empty'),
  });
  await expect(openHost(options({ apiTokenFile: 'nowhere' }))).rejects.toMatchObject({
    message: expect.stringContaining('ENOENT'),
  });
});

test('Node does not warn of a leak when many calls wait at the same time', async () => {
  const limits: unknown[] = [];
  const monitor: MonitorPort = {
    snapshot: ({ signal = AbortSignal.abort() }) => {
      // Node keeps the limit above which it warns under this symbol. 0 means no limit.
      const limit = Object.getOwnPropertySymbols(signal).find(
        ({ description }) => description === 'events.maxEventTargetListeners',
      );
      limits.push(limit === undefined ? undefined : Reflect.get(signal, limit));
      return Promise.reject(new Error('enough'));
    },
    readRam: null,
    settled: null,
  };
  await using host = await openHost(options({ monitor }));
  await expect(host.resources()).rejects.toThrow('enough');
  expect(limits).toEqual([0]);
});

test('a call of a closed host rejects with an AbortError', async () => {
  const host = await openHost(options());
  await host.status();
  await host[Symbol.asyncDispose]();
  await expect(host.select()).rejects.toMatchObject({ name: 'AbortError' });
});

test('names of chains, models, instances and pins are listed for shell completion', async () => {
  await using host = await openHost(options());
  expect(await host.names('chain')).toEqual(['default']);
  expect(await host.names('model')).toEqual(
    expect.arrayContaining(['test/huge', 'test/large', 'test/small']),
  );
  expect(await host.names('instance')).toEqual([]);
  expect(await host.names('pin')).toEqual([]);
});
