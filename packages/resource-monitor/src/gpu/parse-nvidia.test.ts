import { parseNvidiaLine, parseNvidiaProcesses } from './parse-nvidia.js';

const MIB = 1024 ** 2;
const parse = (line: string) => parseNvidiaLine(line, 5)?.reading;

describe('a line of nvidia-smi', () => {
  it("is converted to bytes, with the driver's free memory as available memory", () => {
    expect(
      parse('1, GPU-1f, 00000000:01:00.0, NVIDIA GeForce RTX 3090, 24576, 300, 23900, 7'),
    ).toEqual({
      deviceKey: 'GPU-1f',
      pciAddress: '0000:01:00.0',
      totalIsEstimate: false,
      closed: null,
      pciId: null,
      name: 'NVIDIA GeForce RTX 3090',
      vendor: 'nvidia',
      kind: 'discrete',
      memory: 'dedicated',
      totalBytes: 24576 * MIB,
      usedBytes: 300 * MIB,
      availableBytes: 23900 * MIB,
      utilizationRatio: 0.07,
      processes: null,
      readAtMonotonicMs: 5,
      reasons: [],
    });
  });

  it('keeps a figure of 0', () => {
    expect(parse('1, GPU-1f, 00000000:01:00.0, X, 24576, 0, 0, 0')).toMatchObject({
      usedBytes: 0,
      availableBytes: 0,
      utilizationRatio: 0,
    });
  });

  it.each(['[N/A]', '[Not Supported]', 'N/A', '[Unknown Error]', '[GPU is lost]', ''])(
    'reads %j as unknown',
    (text) => {
      expect(
        parse(`1, GPU-1f, 00000000:01:00.0, X, ${text}, ${text}, ${text}, ${text}`),
      ).toMatchObject({
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
        utilizationRatio: null,
        readAtMonotonicMs: null,
        reasons: [`the driver prints ${text} for free memory`],
      });
    },
  );

  it('has shared memory for products that use system memory and have no total', () => {
    expect(parse('1, GPU-1f, 0000000F:01:00.0, NVIDIA GB10, [N/A], [N/A], [N/A], 0')).toMatchObject(
      {
        kind: 'integrated',
        memory: 'shared',
        pciAddress: '000f:01:00.0',
        totalBytes: null,
      },
    );
  });

  it.each(['NVIDIA N1X', 'NVIDIA RTX Spark N1X', 'NVIDIA GB10', 'Orin (nvgpu)', 'NVIDIA Thor'])(
    'has shared memory of unknown size for %s, even if nvidia-smi prints the carve-out',
    (name) => {
      // From https://github.com/unslothai/unsloth/pull/11208: CUDA can use 46477 MiB of this N1X.
      expect(parse(`1, GPU-1f, 00000000:01:00.0, ${name}, 8128, 199, 7929, 0`)).toMatchObject({
        kind: 'integrated',
        memory: 'shared',
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
        utilizationRatio: 0,
        readAtMonotonicMs: null,
        reasons: [
          'this GPU uses system memory, and the driver reports only the 8128 MiB that are set aside',
        ],
      });
    },
  );

  it('of a Jetson has a UUID without a prefix, no PCI address and no figures', () => {
    // From `nvidia-smi --query-gpu=name,uuid,driver_version,memory.total` on a Jetson AGX Orin with driver 540.5.0.
    const uuid = 'bbbe9f37-7028-556a-930b-54e5f3b67a82';
    expect(parse(`1, ${uuid}, [N/A], Orin (nvgpu), [N/A], [N/A], [N/A], [N/A]`)).toMatchObject({
      deviceKey: uuid,
      pciAddress: null,
      kind: 'integrated',
      memory: 'shared',
      totalBytes: null,
      utilizationRatio: null,
    });
  });

  it.each(['NVIDIA GH200 480GB', 'NVIDIA GB200', 'NVIDIA GeForce RTX 5060 Laptop GPU'])(
    'has dedicated memory for %s',
    (name) => {
      expect(parse(`1, GPU-1f, 00000000:01:00.0, ${name}, 8151, 10, 7900, 0`)).toMatchObject({
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 8151 * MIB,
      });
    },
  );

  it('has no figures without permission, as for MIG in a container', () => {
    // https://github.com/Stability-AI/StableSwarmUI/issues/388
    const hidden = '[Insufficient Permissions]';
    expect(
      parse(
        `1, GPU-1f, 00000000:01:00.0, NVIDIA A100-SXM4-80GB, ${hidden}, ${hidden}, ${hidden}, [N/A]`,
      ),
    ).toMatchObject({
      memory: 'dedicated',
      totalBytes: null,
      availableBytes: null,
      reasons: ['the driver prints [Insufficient Permissions] for free memory'],
    });
  });

  it('has unknown free memory if only the total is hidden', () => {
    expect(parse('1, GPU-1f, 00000000:01:00.0, X, [N/A], 1, 99, 0')).toMatchObject({
      totalBytes: null,
      availableBytes: null,
      reasons: ['the driver prints [N/A] for total memory'],
    });
  });

  it('has a name of null for text in brackets', () => {
    expect(parse('1, GPU-1f, 00000000:01:00.0, [Unknown Error], 2, 1, 1, 0')?.name).toBeNull();
  });

  it('may have a name with commas', () => {
    expect(parse('1, GPU-1f, 00000000:01:00.0, A, B, 2, 1, 1, 0')?.name).toBe('A, B');
  });

  it.each([
    '',
    'No devices were found',
    ',,,,,,,,,',
    'Failed to initialize NVML: a, b, c, d, e, f, g, h',
  ])('is null for %j', (line) => expect(parseNvidiaLine(line, 0)).toBeNull());
});

describe('the processes on a GPU', () => {
  it('are listed per GPU, and null where Windows hides their memory', () => {
    const text = 'GPU-a, 10, 254\nGPU-a, 11, 0\nGPU-b, 12, [N/A]\n[Not Found]\n';
    expect([...parseNvidiaProcesses(text)]).toEqual([
      [
        'GPU-a',
        [
          { processId: 10, bytes: 254 * MIB },
          { processId: 11, bytes: 0 },
        ],
      ],
      ['GPU-b', null],
    ]);
  });
});

test.each(['[N/A]', '[Unknown Error]'])(
  'a GPU whose UUID is %s has the key of its PCI address',
  (uuid) => {
    // A reading without a key is left out, and then the machine seems to have no GPU.
    expect(
      parse(`1, ${uuid}, 00000000:03:00.0, NVIDIA GeForce RTX 3090, 24576, 10, 24566, 0`),
    ).toMatchObject({
      deviceKey: 'pci:0000:03:00.0',
      pciAddress: '0000:03:00.0',
      totalBytes: 24576 * 1024 ** 2,
    });
    expect(parse(`1, ${uuid}, ${uuid}, ${uuid}, 24576, 10, 24566, 0`)).toBeUndefined();
  },
);
