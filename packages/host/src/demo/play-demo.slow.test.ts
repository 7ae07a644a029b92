import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Resources } from '@mai/memory-ledger';
import { openHost } from '../open-host.js';
import type { DemoStage } from './demo-stage.js';
import { playDemo } from './play-demo.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const same = (text: string): string => text;
const SIZES = { sizesBytes: [8 * MIB, 16 * MIB, 32 * MIB] };

jest.setTimeout(60_000);

let home: string;
beforeEach(() => (home = mkdtempSync(path.join(tmpdir(), 'mai-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

function machine(availableBytes: number): Resources {
  return {
    timestampMs: Date.now(),
    observable: true,
    unified: false,
    gpus: [],
    ram: { totalBytes: 16 * GIB, availableBytes, mappedCountsAsUsed: false },
    cpu: { utilizationRatio: 0, othersRatio: 0 },
  };
}

/**
 * A stage that keeps the headings and the texts. `available`: the free memory that each host of the demo sees, in turn.
 * `gone`: the part of it that is taken after these texts.
 */
function createStage(
  folder: string,
  available: readonly number[],
  gone: (texts: readonly string[]) => number = () => 0,
) {
  const headings: string[] = [];
  const texts: string[] = [];
  let opened = 0;
  const stage: DemoStage = {
    openHost: (options) => {
      const free = available[Math.min(opened, available.length - 1)] ?? 0;
      opened += 1;
      const snapshot = () => Promise.resolve(machine(free - gone(texts)));
      const folders = { dataFolder: home, cacheFolder: home, configFolder: home, userHome: home };
      return openHost({
        env: {},
        cwd: home,
        warn: () => undefined,
        ...folders,
        ...options,
        monitor: { snapshot, readRam: null, settled: snapshot },
      });
    },
    folders: [folder],
    signal: new AbortController().signal,
    style: { bold: same, good: same, caution: same, bad: same },
    heading: (title) => headings.push(title),
    text: (text) => texts.push(text),
    pause: () => Promise.resolve(),
    progress: () => ({ update: () => undefined, clear: () => undefined }),
    models: () => undefined,
    memory: () => undefined,
    whileMemoryChanges: (_, done) => done,
  };
  return { stage, headings, texts };
}

test('too little free memory is reported before a file is written', async () => {
  const { stage, headings } = createStage(home, [2 * GIB]);
  expect(await playDemo(stage)).toMatch(/^this machine has too little free memory/);
  expect(headings).toEqual([]);
});

test('a disk without the space is the reason for not playing', async () => {
  const file = path.join(home, 'file');
  writeFileSync(file, '');
  const { stage } = createStage(file, [12 * GIB]);
  expect(await playDemo(stage, SIZES)).toMatch(/^no disk has 1\.3 GiB of free space/);
});

test('where a model is not loaded in time, the demo ends with this reason and removes its files', async () => {
  const models = path.join(home, 'models');
  // Two hosts plan the demo. When the autopilot starts, the memory is gone.
  const { stage } = createStage(models, [12 * GIB, 12 * GIB, 0.1 * GIB]);
  expect(await playDemo(stage, { ...SIZES, switchWithinMs: 2000 })).toBe(
    'Mai has not loaded a model of the demo within 2 s',
  );
  expect(readdirSync(models)).toEqual([]);
});

test('where the use of RAM stays below the limit, the demo says why Mai does not step down', async () => {
  // As on a machine whose other programs free the memory that the demo's process takes.
  const { stage, texts } = createStage(path.join(home, 'models'), [12 * GIB]);
  await playDemo(stage, { ...SIZES, switchWithinMs: 3000 });
  expect(texts.filter((text) => text.includes('to switch'))).toEqual([
    expect.stringMatching(/^The use of RAM is still below the limit of [\d.]+ GiB, /),
  ]);
  expect(texts).not.toContain('Mai has not switched in time.');
});

test('the first answer corrects the prediction of the speed', async () => {
  const { stage } = createStage(path.join(home, 'models'), [12 * GIB]);
  // The memory of this stage never changes, so Mai never steps down.
  const steps = await playDemo(stage, { ...SIZES, switchWithinMs: 10_000 });
  const [first] = typeof steps === 'string' ? [] : steps;
  const { before = null, after = null } = first?.predicted ?? {};
  if (before === null || after === null) throw new Error(`no prediction: ${JSON.stringify(steps)}`);
  expect(after.high / after.low).toBeLessThan(before.high / before.low / 2);
  const error = (expected: number): number =>
    Math.abs(Math.log(expected / (first?.answer?.tokensPerSecond ?? 0)));
  expect(error(after.expected)).toBeLessThanOrEqual(Math.max(error(before.expected), Math.log(2)));
});

/** The bytes that the process of the demo holds by the demo's own words. */
function announcedBytes(texts: readonly string[]): number {
  if (texts.includes('The process has ended.')) return 0;
  const announced = texts.find((text) => text.startsWith('A process of the demo takes'));
  return Number(/takes ([\d.]+) MiB/.exec(announced ?? '')?.[1] ?? 0) * MIB;
}

test('the largest model gives way to a smaller one and comes back, all with the same context', async () => {
  const { stage, texts } = createStage(path.join(home, 'models'), [12 * GIB], announcedBytes);
  const steps = await playDemo(stage, SIZES);
  if (typeof steps === 'string') throw new Error(steps);
  // The memory of these files differs so little that the growth forecast decides which of the two smaller ones is loaded.
  const smaller = expect.stringMatching(/^noise-(8|16)m$/) as string;
  expect(steps.map(({ step, modelKey }) => [step, modelKey])).toEqual([
    ['choose', 'noise-32m'],
    ['step-down', smaller],
    ['step-up', 'noise-32m'],
  ]);
  const loaded = texts.filter((text) => text.startsWith('Loaded'));
  expect(loaded).toHaveLength(3);
  for (const text of loaded) expect(text).toMatch(/, 4,096 tokens of context\.$/);
});

test('where other programs have taken enough memory, the demo takes none, and does not wait for a step up', async () => {
  const { stage, headings } = createStage(path.join(home, 'models'), [12 * GIB], (shown) =>
    shown.some((text) => text.startsWith('Mai has learned')) ? 2 * GIB : 0,
  );
  const steps = await playDemo(stage, { ...SIZES, switchWithinMs: 2000 });
  if (typeof steps === 'string') throw new Error(steps);
  expect(steps.map(({ step, takenBytes }) => [step, takenBytes])).toEqual([
    ['choose', 0],
    ['step-down', 0],
  ]);
  expect(headings).not.toContain('The memory is free again');
});
