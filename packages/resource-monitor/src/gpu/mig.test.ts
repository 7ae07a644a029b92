import { createFakeClock } from '../../test/fake-clock.js';
import { createFakeExecutor } from '../../test/fake-executor.js';
import { parseSplitGpus } from './mig.js';
import { nvidiaGpus } from './nvidia.js';

// Format: MIG user guide, section 'Listing GPU instances'.
const LIST =
  'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-a)\n' +
  '  MIG 3g.20gb     Device  0: (UUID: MIG-1)\n' +
  '  MIG 3g.20gb     Device  1: (UUID: MIG-2)\n' +
  'GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)\n';

const read = async (load: string) => {
  const clock = createFakeClock();
  const line = (key: string, bus: string, busy: string): string =>
    `2, ${key}, 00000000:${bus}:00.0, NVIDIA A100-SXM4-40GB, 40960, 10, 40950, ${busy}`;
  const executor = createFakeExecutor([
    { program: 'nvidia-smi', args: ['-L'], stdout: LIST },
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout: `${line('GPU-a', '01', load)}\n${line('GPU-b', '02', '0')}`,
    },
  ]);
  const reader = nvidiaGpus({
    executor,
    clock,
    platform: 'linux',
    isAsleep: () => false,
    firstAnswerMs: 2500,
  });
  const reading = await reader.read({ startedMs: 0, continuing: false });
  return { gpus: 'value' in reading ? reading.value : [], started: executor.started };
};

describe('GPUs that are split into MIG slices', () => {
  it('are found in the list of GPUs and slices', () => {
    expect([...parseSplitGpus(LIST)]).toEqual(['GPU-a']);
    expect([
      ...parseSplitGpus('  MIG 1g.5gb Device 0: (UUID: MIG-1)\nNo devices found.\n'),
    ]).toEqual([]);
  });

  it('have no figures, because an engine can use only one slice', async () => {
    const { gpus } = await read('[N/A]');
    expect(gpus).toMatchObject([
      {
        deviceKey: 'GPU-a',
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
        reasons: [
          'this GPU is split into MIG slices, and nvidia-smi reports the memory of the whole GPU',
        ],
      },
      { deviceKey: 'GPU-b', totalBytes: 40960 * 1024 ** 2, reasons: [] },
    ]);
  });

  it('are not looked for if every GPU reports its load', async () => {
    const { gpus, started } = await read('0');
    expect(gpus).toMatchObject([{ totalBytes: 40960 * 1024 ** 2 }, {}]);
    expect(started).toHaveLength(1);
  });
});
