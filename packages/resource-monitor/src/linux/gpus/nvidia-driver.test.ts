import { assembleMachine } from '../../../test/assemble-machine.js';
import { createFakeClock } from '../../../test/fake-clock.js';
import { createFakeFileTree } from '../../../test/fake-file-tree.js';
import { nvidiaAsleep } from '../../../test/machines/linux-gpus.js';
import { nvidiaSleep, readNvidiaFacts } from './nvidia-driver.js';

const MIB = 1024 ** 2;
const CARD = '/sys/class/drm/card1/device';
const STATUS = `${CARD}/power/runtime_status`;
const UUID = 'GPU-11111111-2222-3333-4444-555555555555';
const REASON = 'this GPU is suspended to save power, and nvidia-smi would wake it';

describe('a suspended NVIDIA GPU', () => {
  it('is not woken by snapshots or by watching, and is listed with its name', async () => {
    const { monitor, clock, executor } = assembleMachine(nvidiaAsleep);
    const samples: unknown[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for await (const { gpus, sources } of monitor.watch({ signal: over.signal })) {
        samples.push({ gpus, sources });
      }
    })().catch(() => undefined);
    await clock.advance(40_000);
    over.abort();
    await watching;
    expect(samples.length).toBeGreaterThan(5);
    expect(samples.at(-1)).toMatchObject({
      gpus: [
        {
          deviceKey: 'pci:0000:01:00.0',
          name: 'NVIDIA GeForce RTX 5060 Laptop GPU',
          totalBytes: null,
          availableBytes: null,
          readAtMs: null,
        },
      ],
    });
    const [, gpu] = (await monitor.snapshot()).sources.filter(({ figure }) => /^gpu/.test(figure));
    expect(gpu).toEqual({
      figure: 'gpu:pci:0000:01:00.0',
      source: null,
      passedOver: [{ source: '/sys/class/drm', reason: REASON, cause: null }],
    });
    await monitor[Symbol.asyncDispose]();
    expect(executor.started).toEqual([]);
  });

  it('is read after something else has woken it, and keeps its total when it sleeps again', async () => {
    const { monitor, files, executor } = assembleMachine(nvidiaAsleep);
    await monitor.snapshot();
    files.contents.set(STATUS, 'active\n');
    expect((await monitor.snapshot()).gpus).toMatchObject([
      { deviceKey: UUID, totalBytes: 8151 * MIB, availableBytes: 7900 * MIB },
    ]);
    expect(executor.running.size).toBe(1);
    files.contents.set(STATUS, 'suspended\n');
    expect((await monitor.snapshot()).gpus).toMatchObject([
      { deviceKey: UUID, totalBytes: 8151 * MIB, usedBytes: null, availableBytes: null },
    ]);
    expect(executor.running.size).toBe(0);
    files.contents.set(STATUS, 'active\n');
    expect((await monitor.snapshot()).gpus).toMatchObject([{ availableBytes: 7900 * MIB }]);
    await monitor[Symbol.asyncDispose]();
  });

  it('is not woken to find the name of another GPU', async () => {
    const { monitor, clock, executor } = assembleMachine({
      ...nvidiaAsleep,
      files: {
        ...nvidiaAsleep.files,
        '/sys/class/drm/card0/device/vendor': '0x8086\n',
        '/sys/class/drm/card0/device/uevent': 'DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n',
      },
    });
    await monitor.snapshot();
    await clock.advance(1000);
    const { gpus } = await monitor.snapshot();
    expect(gpus.map(({ name }) => name)).toEqual([null, 'NVIDIA GeForce RTX 5060 Laptop GPU']);
    await monitor[Symbol.asyncDispose]();
    expect(executor.started).toEqual([]);
  });
});

describe('whether all NVIDIA GPUs sleep', () => {
  const asleep = (files: Readonly<Record<string, string>>): boolean =>
    nvidiaSleep(createFakeFileTree(files), createFakeClock())();
  const device = (address: string, status: string): Record<string, string> => ({
    [`/sys/module/nvidia/drivers/pci:nvidia/${address}/power/runtime_status`]: `${status}\n`,
  });

  it.each([
    ['suspended', true],
    ['suspending', true],
    ['active', false],
    ['resuming', false],
    ['unsupported', false],
    ['error', false],
  ])('if one of them is %s: %s', (status, expected) => {
    expect(asleep({ [`${CARD}/vendor`]: '0x10de\n', [STATUS]: `${status}\n` })).toBe(expected);
  });

  it('is false if one is awake, or if the kernel lists no NVIDIA GPU', () => {
    const first = device('0000:01:00.0', 'suspended');
    expect(asleep({ ...first, ...device('0000:02:00.0', 'suspended') })).toBe(true);
    expect(asleep({ ...first, ...device('0000:02:00.0', 'active') })).toBe(false);
    expect(asleep({})).toBe(false);
    expect(asleep({ [`${CARD}/vendor`]: '0x10de\n' })).toBe(false);
  });

  it('does not depend on cards of other vendors', () => {
    expect(asleep({ [`${CARD}/vendor`]: '0x1002\n', [STATUS]: 'suspended\n' })).toBe(false);
  });
});

describe("the NVIDIA driver's facts", () => {
  const facts = (text: string) =>
    readNvidiaFacts(
      createFakeFileTree({ '/proc/driver/nvidia/gpus/0000:01:00.0/information': text }),
      '0000:01:00.0',
    );

  it('are the name and, once the GPU was used, the UUID', () => {
    expect(facts(`Model: \t\t NVIDIA X\nGPU UUID: \t ${UUID}\n`)).toEqual({
      name: 'NVIDIA X',
      uuid: UUID,
    });
    expect(facts('Model: Unknown\nGPU UUID: \t GPU-????????-????\n')).toEqual({
      name: null,
      uuid: null,
    });
    expect(readNvidiaFacts(createFakeFileTree({}), null)).toEqual({ name: null, uuid: null });
  });
});
