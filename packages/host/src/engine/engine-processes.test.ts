import type { EngineReport, ResidentInstance } from '@mai/lmstudio-adapter';
import { createEnginePort } from './engine-processes.js';

const report = (instanceIdentifier: string, reference: string, pid: number): EngineReport => ({
  instanceIdentifier,
  reference,
  pid,
  buffers: [],
  offloadedLayers: null,
  engine: { name: 'llama.cpp-linux-x86_64-avx2', version: '2.28.2' },
});
const resident = (
  instanceIdentifier: string,
  reference: string,
  keepModelInMemory: boolean | null = false,
) =>
  ({
    instanceIdentifier,
    reference,
    keepModelInMemory,
  }) as Partial<ResidentInstance> as ResidentInstance;

const GONE = 2 ** 30;
const itIsLinux = process.platform === 'linux' ? test : test.skip;

describe('the anonymous memory of the engines', () => {
  itIsLinux('is read from the process that the engine log names', async () => {
    const port = createEnginePort(
      { reports: () => [report('a', 'r1', process.pid), report('b', 'r2', GONE)] },
      () => [resident('a', 'r1'), resident('b', 'r2'), resident('c', 'r3')],
    );
    const bytes = await port.anonymousBytes(['a', 'b', 'c'], {});
    expect([...bytes.keys()]).toEqual(['a']);
    expect(bytes.get('a')).toBeGreaterThan(1e6);
  });

  test.each([
    ['of an earlier copy with the same identifier', [report('a', 'old', process.pid)], ['a']],
    [
      'shared by two instances',
      [report('a', 'r1', process.pid), report('b', 'r2', process.pid)],
      ['a', 'b'],
    ],
  ])('is left out for a process %s', async (_, reports, asked) => {
    const residents = [resident('a', 'r1'), resident('b', 'r2')];
    const port = createEnginePort({ reports: () => reports }, () => residents);
    expect((await port.anonymousBytes(asked, {})).size).toBe(0);
  });

  test.each([true, null])(
    'is left out where weights may be locked (%s)',
    async (keepModelInMemory) => {
      const port = createEnginePort({ reports: () => [report('a', 'r1', process.pid)] }, () => [
        resident('a', 'r1', keepModelInMemory),
      ]);
      expect((await port.anonymousBytes(['a'], {})).size).toBe(0);
    },
  );
});
