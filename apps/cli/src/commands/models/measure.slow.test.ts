import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { FakeIoOptions } from '../../../test/fake-io.js';
import { startHeavyLMStudio } from '../../../test/heavy-lmstudio.js';
import { runMai } from '../../../test/run-mai.js';

const KEY = 'qwen/qwen3-1.7b';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai measure '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mai = (line: string, options: FakeIoOptions = {}) =>
  runMai(line.split(' '), { cwd: folder, homeFolder: folder, ...options });

interface Measured {
  readonly predicted: {
    readonly ram: { readonly mappedBytes: number; readonly anonymousBytes: number };
  };
  readonly outcome: {
    readonly measured: { readonly anonymousBytes: number; readonly method: string } | null;
  };
}
interface Models {
  readonly models: readonly {
    readonly modelKey: string;
    readonly footprint: {
      readonly source: string;
      readonly confidence: string;
      readonly ram: { readonly anonymousBytes: number };
      readonly interval: { readonly lowBytes: number; readonly highBytes: number } | null;
    } | null;
  }[];
}

// Only Linux starts a process under another name and reads its memory without a tool.
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  "reads a load's memory from the engine, stores it, and corrects later estimates",
  async () => {
    await using lmStudio = await startHeavyLMStudio(folder);
    const models = async () =>
      (await mai(`models --json --url ${lmStudio.url}`)).json() as unknown as Models;
    const ofKey = ({ models: all }: Models) =>
      all.find(({ modelKey }) => modelKey === KEY)?.footprint ?? null;
    const before = ofKey(await models());
    expect(before?.source).toBe('lmstudio');

    const run = await mai(`estimate --measure ${KEY} --json --url ${lmStudio.url}`);
    expect(run.err).not.toMatch(/error/);
    expect(run.exitCode).toBe(0);
    const { outcome, predicted } = run.json() as unknown as Measured;
    expect(outcome.measured?.method).toBe('process');
    const taken = outcome.measured?.anonymousBytes ?? 0;
    // LM Studio's estimate leaves the compute buffers out.
    expect(taken).toBeGreaterThan(predicted.ram.anonymousBytes);
    expect(taken).toBeLessThan(2 * predicted.ram.anonymousBytes);
    const status = (await mai(`status --json --url ${lmStudio.url}`)).json();
    expect(status['residents']).toEqual([]);

    const after = ofKey(await models());
    expect(after).toMatchObject({ source: 'measured', confidence: 'high' });
    // LM Studio locks the weights in RAM, so they do not count as mapped memory.
    const { mappedBytes } = predicted.ram;
    expect(after?.ram).toEqual({ mappedBytes: 0, anonymousBytes: taken + mappedBytes });
    expect(after?.interval?.highBytes).toBeGreaterThan(after?.interval?.lowBytes ?? Infinity);

    const estimate = (await mai(`estimate ${KEY} --json --url ${lmStudio.url}`)).json();
    expect(estimate).toHaveProperty('corrected.source');

    // The second measurement is compared with the uncorrected estimate, so that Mai does not learn
    // from the first.
    const again = await mai(`estimate --measure ${KEY} --json --url ${lmStudio.url}`);
    expect((again.json() as unknown as Measured).predicted).toEqual(predicted);
  },
  60_000,
);

test('does not store an unreliable measurement, and says why', async () => {
  // The simulator's models take no memory of this machine.
  await using simulator = await startSimulator({ speed: 50, world: { machine: { gpus: [] } } });
  const run = await mai(`estimate --measure ${KEY} --url ${simulator.httpUrl}`);
  expect(run.exitCode).toBe(6);
  expect(run.out).toMatch(/Not measured: .*\. The result was not stored\./);
  expect(simulator.residents()).toEqual([]);
}, 60_000);

test.each([
  ['estimate --measure', /needs a model key/],
  [`estimate --measure ${KEY} --batch 512`, /A load has no setting for --batch/],
])('%s is a usage error', async (line, message) => {
  const { exitCode, err } = await mai(line);
  expect(exitCode).toBe(2);
  expect(err).toMatch(message);
});

test('reports an unknown model, and an LM Studio that is off', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  const unknown = await mai(`estimate --measure no/such --url ${simulator.httpUrl}`);
  expect(unknown.exitCode).toBe(5);
  expect((await mai(`estimate --measure ${KEY} --url 127.0.0.1:9`)).exitCode).toBe(4);
});
