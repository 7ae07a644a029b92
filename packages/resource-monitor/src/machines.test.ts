import { assembleMachine } from '../test/assemble-machine.js';
import * as darwin from '../test/machines/darwin.js';
import * as linux from '../test/machines/linux.js';
import * as linuxGpus from '../test/machines/linux-gpus.js';
import * as linuxMemory from '../test/machines/linux-memory.js';
import type { Machine } from '../test/machines/machine.js';
import { memInfo } from '../test/machines/machine.js';
import * as windows from '../test/machines/windows.js';
import type { ResourceSnapshot } from './snapshot.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const ALL: readonly Machine[] = [linux, linuxGpus, linuxMemory, darwin, windows].flatMap((module) =>
  Object.values(module),
);

async function first(machine: Machine): Promise<ResourceSnapshot> {
  const { monitor } = assembleMachine(machine);
  const snapshot = await monitor.snapshot();
  await monitor[Symbol.asyncDispose]();
  return snapshot;
}

const sourceOf = (snapshot: ResourceSnapshot, figure: string) =>
  snapshot.sources.find((source) => source.figure === figure);

describe('recorded machines', () => {
  it('are at least twelve, each with its source', () => {
    const real = ALL.filter(({ synthetic }) => !synthetic);
    expect(real.length).toBeGreaterThanOrEqual(12);
    expect(real.filter(({ sources }) => sources.length === 0)).toEqual([]);
  });

  it.each(ALL.map((machine) => [machine.name, machine] as const))(
    '%s: every figure is null or a number within its pool, and has a source',
    async (_, machine) => {
      const snapshot = await first(machine);
      const { ram, gpus, sources } = snapshot;
      expect(ram.totalBytes).toBeGreaterThan(0);
      if (ram.availableBytes !== null) {
        expect(ram.availableBytes).toBeGreaterThanOrEqual(0);
        expect(ram.availableBytes).toBeLessThanOrEqual(ram.totalBytes);
      }
      for (const { memory, totalBytes, usedBytes, availableBytes } of gpus) {
        if (memory === 'shared') expect(totalBytes ?? 0).toBeLessThanOrEqual(ram.machineTotalBytes);
        for (const bytes of [totalBytes, usedBytes, availableBytes]) {
          expect(bytes === null || (Number.isFinite(bytes) && bytes >= 0)).toBe(true);
        }
        if (totalBytes !== null && availableBytes !== null) {
          expect(availableBytes).toBeLessThanOrEqual(totalBytes);
        }
      }
      for (const { source, passedOver } of sources) {
        expect(source !== null || passedOver.length > 0 || gpus.length === 0).toBe(true);
        for (const { reason } of passedOver) expect(reason).not.toBe('');
      }
      const keys = gpus.map(({ deviceKey }) => deviceKey);
      expect(new Set(keys).size).toBe(keys.length);
    },
  );
});

describe('memory', () => {
  // Worked out by hand from the files of each machine.
  const MEMORY: readonly (readonly [Machine, number, number | null, 'machine' | 'cgroup'])[] = [
    [linux.virtualMachine, 25_276_502_016, 24_444_157_952, 'machine'],
    // 134217728 - (21295104 - 20004864); the outer group has more left.
    [linux.nestedGroups, 134_217_728, 132_927_488, 'cgroup'],
    [linux.dockerVersion1, 67_108_864, 60_571_648, 'cgroup'],
    [linux.podmanUnlimited, 3_842_999_296, 3_072_000_000, 'machine'],
    // 131072000 - (50000000 - 10000000 - 15000000)
    [linux.dockerVersion2, 131_072_000, 106_072_000, 'cgroup'],
    [linux.wsl2, 12_470_504_448, 11_890_956_288, 'machine'],
    [linuxGpus.amdPolaris, 16_635_121_664, 10_830_524_416, 'machine'],
    [linuxGpus.dgxSpark, 130_663_165_952, 121_411_960_832, 'machine'],
    // 11534336 kB plus the 30601641984 clean bytes of ZFS's cache. Another 2.5 GiB of the cache are dirty or
    // pinned.
    [linuxMemory.zfsServer, 67_366_309_888, 42_412_802_048, 'machine'],
    // 132027020 kB - 56274 pages of 2 MiB, of which 10274084 kB are free: 61 percent, not 8 percent.
    [linuxMemory.hugePages, 17_180_536_832, 10_520_662_016, 'machine'],
    [linuxMemory.lxcNegative, 16_779_403_264, null, 'machine'],
    // 4 GiB - (4 GiB - 4760 kB - 2 GiB of file cache)
    [linuxMemory.lxcCacheAsUsed, 4_294_967_296, 2_152_357_888, 'cgroup'],
    // 17179869184 - (247311 - 630 + 159117 + 454496) * 16384
    [darwin.appleSilicon, 17_179_869_184, 3_084_812_288, 'machine'],
    // 34359738368 - (464333 - 11820 + 715958 + 0) * 4096
    [darwin.intelMac, 34_359_738_368, 29_573_681_152, 'machine'],
    // (90518 + 32417 + 134461) * 4096
    [darwin.oldMac, 2_147_483_648, 1_054_294_016, 'machine'],
    [windows.windowsNvidia, 32 * GIB, 12 * GIB, 'machine'],
  ];
  it.each(MEMORY.map((row) => [row[0].name, row] as const))('of %s', async (_, row) => {
    const [machine, totalBytes, availableBytes, limitedBy] = row;
    const { ram } = await first(machine);
    expect(ram).toMatchObject({ totalBytes, availableBytes, limitedBy });
  });

  const withFiles = (machine: Machine, changed: Readonly<Record<string, string>>): Machine => ({
    ...machine,
    files: { ...machine.files, ...changed },
  });
  const ramOf = async (machine: Machine) => {
    const snapshot = await first(machine);
    const { source, passedOver } = sourceOf(snapshot, 'ram') ?? {};
    return { ...snapshot.ram, source, reasons: passedOver?.map(({ reason }) => reason) };
  };

  it("of a group on a machine with ZFS includes the machine's evictable cache", async () => {
    const zfs = linuxMemory.zfsServer.files?.['/proc/spl/kstat/zfs/arcstats'] ?? '';
    const full = memInfo({ MemTotal: 65787412, MemFree: 9, MemAvailable: 9 });
    const changed = { '/proc/meminfo': full, '/proc/spl/kstat/zfs/arcstats': zfs };
    expect(await ramOf(withFiles(linux.dockerVersion2, changed))).toMatchObject({
      totalBytes: 131_072_000,
      availableBytes: 106_072_000,
    });
  });

  it('of a group whose limit is above what huge pages leave is limited by the machine', async () => {
    const meminfo = { '/proc/meminfo': linuxMemory.hugePages.files?.['/proc/meminfo'] ?? '' };
    const limit = { '/sys/fs/cgroup/memory.max': `${17_180_536_832 + 1}\n` };
    const files = { ...meminfo, ...limit };
    expect(await ramOf(withFiles(linux.dockerVersion2, files))).toMatchObject({
      totalBytes: 17_180_536_832,
      limitedBy: 'machine',
      machineTotalBytes: 132_027_020 * 1024,
    });
  });

  it("of a container with its own /proc/meminfo has nothing to do with the machine's huge pages", async () => {
    const mount = '97 90 0:49 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n';
    const machine = withFiles(linuxMemory.hugePages, { '/proc/self/mountinfo': mount });
    expect((await ramOf(machine)).totalBytes).toBe(132_027_020 * 1024);
  });

  it("of a container with its own /proc/meminfo leaves out the machine's ZFS cache", async () => {
    const mount = '97 90 0:49 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n';
    const ram = await ramOf(withFiles(linuxMemory.zfsServer, { '/proc/self/mountinfo': mount }));
    expect(ram.availableBytes).toBe(11_534_336 * 1024);
    expect(ram.reasons).toContain(
      '/proc/spl/kstat/zfs/arcstats describes the machine, not this container',
    );
  });

  it('leaves out a ZFS cache that is larger than the memory in use, and is never above the total', async () => {
    const small = memInfo({ MemTotal: 40_000_000, MemFree: 20_000_000, MemAvailable: 20_000_000 });
    const ram = await ramOf(withFiles(linuxMemory.zfsServer, { '/proc/meminfo': small }));
    expect(ram.availableBytes).toBe(20_000_000 * 1024);
    expect(ram.reasons).toContain('/proc/spl/kstat/zfs/arcstats reports more cache than is in use');
  });

  it.each([
    // libuv reads a negative MemTotal as almost 2^64 bytes.
    ['MemTotal: -1 kB\nMemFree: 9 kB\n', 2 ** 64 - 1024, /Check what supplies these figures/],
    [null, 0, /Check what supplies these figures/],
  ])('that cannot be read is an error with a hint that fits: %j', async (text, total, hint) => {
    const { '/proc/meminfo': file = '', ...files } = linux.wsl2.files ?? {};
    const changed = text === null ? files : { ...files, '/proc/meminfo': text };
    expect(file).not.toBe('');
    const { monitor } = assembleMachine({
      ...linux.wsl2,
      files: changed,
      memory: { totalBytes: total, freeBytes: 0 },
    });
    await expect(monitor.snapshot()).rejects.toThrow(hint);
    await monitor[Symbol.asyncDispose]();
  });

  it('is null with a reason if /proc/meminfo contradicts itself', async () => {
    const impossible = memInfo({ MemTotal: 1000, MemFree: 0, MemAvailable: 0 });
    expect(await ramOf(withFiles(linux.wsl2, { '/proc/meminfo': impossible }))).toMatchObject({
      totalBytes: 1000 * 1024,
      availableBytes: null,
      source: '/proc/meminfo',
      reasons: ['no control group limits memory', 'reports neither free nor available memory'],
    });
  });

  it.each([
    ['contradicts itself', memInfo({ MemTotal: 24684084, MemFree: 1, MemAvailable: 24684085 })],
    ['has a total of 0', memInfo({ MemTotal: 0, MemFree: 0, MemAvailable: 0 })],
  ])('of a group is known if /proc/meminfo %s', async (_, text) => {
    const machine = { ...linux.dockerVersion2, memory: { totalBytes: 2 ** 34, freeBytes: 1 } };
    const ram = await ramOf(withFiles(machine, { '/proc/meminfo': text }));
    expect(ram).toMatchObject({ totalBytes: 131_072_000, availableBytes: 106_072_000 });
    expect(ram.reasons).toEqual([expect.stringMatching(/^\/proc\/meminfo: (reports|the file)/)]);
  });

  it('of macOS is null if vm_stat counts more pages than the machine has', async () => {
    const commands = (darwin.appleSilicon.commands ?? []).map((command) =>
      command.program === 'vm_stat'
        ? {
            ...command,
            stdout: command.stdout.replace(/Pages wired down: +/, 'Pages wired down: 9'),
          }
        : command,
    );
    expect(await ramOf({ ...darwin.appleSilicon, commands })).toMatchObject({
      availableBytes: null,
      reasons: [expect.stringMatching(/bytes of available memory$/)],
    });
  });

  it('of Windows is null if the free memory is above the total', async () => {
    const memory = { totalBytes: GIB, freeBytes: GIB + 1 };
    expect(await ramOf({ ...windows.windowsNvidia, memory })).toMatchObject({
      availableBytes: null,
      reasons: ['reports more available memory than the total'],
    });
  });

  it("of a group is never more than the machine's available memory", async () => {
    const { files } = linux.dockerVersion2;
    const full = (files?.['/proc/meminfo'] ?? '').replace(
      /^MemAvailable: .*$/m,
      'MemAvailable: 9 kB',
    );
    const { ram } = await first({
      ...linux.dockerVersion2,
      files: { ...files, '/proc/meminfo': full },
    });
    expect(ram).toMatchObject({ totalBytes: 131_072_000, availableBytes: 9 * 1024 });
  });

  it('has an unknown mappedCountsAsUsed on other platforms', async () => {
    const { ram } = await first({ ...linux.virtualMachine, platform: 'freebsd' });
    expect(ram.mappedCountsAsUsed).toBeNull();
  });

  it('counts mapped pages as used on Windows only', async () => {
    for (const machine of ALL) {
      const snapshot = await first(machine);
      // Node does not report whether its free memory includes mapped pages.
      const isKnown = sourceOf(snapshot, 'ram')?.source !== 'os.freemem()';
      expect([machine.name, snapshot.ram.mappedCountsAsUsed]).toEqual([
        machine.name,
        isKnown ? machine.platform === 'win32' : null,
      ]);
    }
  });

  it("has the control group's swap limit and pressure", async () => {
    const { swap, pressure, cpu } = await first(linux.dockerVersion2);
    expect(swap).toMatchObject({ totalBytes: 0, freeBytes: 0 });
    expect(pressure.stall).toEqual({ someRatio: 0.035, fullRatio: 0.01 });
    expect(cpu.cores).toBe(0.5);
  });

  it("has the pressure figures of its platform, and null for other platforms' figures", async () => {
    expect((await first(darwin.appleSilicon)).pressure).toEqual({
      stall: null,
      level: 'warning',
      commit: null,
    });
    expect((await first(windows.windowsNvidia)).pressure).toEqual({
      stall: null,
      level: null,
      commit: { usedBytes: 20_000_000_000, limitBytes: 40_000_000_000 },
    });
  });

  it('includes the swap files of macOS and the paging file of Windows', async () => {
    expect((await first(darwin.appleSilicon)).swap).toMatchObject({
      totalBytes: 2048 * MIB,
      freeBytes: 606_014_013,
    });
    expect((await first(windows.windowsNvidia)).swap).toMatchObject({
      totalBytes: 8192 * MIB,
      freeBytes: 7168 * MIB,
    });
  });
});

describe('GPUs', () => {
  it('that are suspended are not asked for their load, which would wake them', async () => {
    const files = { ...linuxGpus.amdPolaris.files };
    const folder = Object.keys(files)
      .find((name) => name.endsWith('/mem_info_vram_total'))
      ?.replace('/mem_info_vram_total', '');
    files[`${folder}/gpu_busy_percent`] = '50\n';
    const busy = async (status: string) => {
      files[`${folder}/power/runtime_status`] = `${status}\n`;
      return (await first({ ...linuxGpus.amdPolaris, files })).gpus[0]?.utilizationRatio;
    };
    expect([await busy('active'), await busy('suspended')]).toEqual([0.5, 0]);
    expect(await busy('suspending')).toBe(0);
  });

  it.each([
    ['DRIVER=vfio-pci\n', 'the driver vfio-pci reports no memory in sysfs'],
    ['DRIVER=radeon\n', 'the driver radeon reports no memory in sysfs'],
    ['', 'no driver is loaded for this GPU'],
  ])(
    'of AMD with the driver line %j have no figures, and the reason names the driver',
    async (line, reason) => {
      const uevent = `${line}PCI_SLOT_NAME=0000:03:00.0`;
      const files = {
        ...linux.virtualMachine.files,
        '/sys/class/drm/card0/device/vendor': '0x1002',
        '/sys/class/drm/card0/device/uevent': uevent,
      };
      const snapshot = await first({ ...linux.virtualMachine, files });
      expect(snapshot.gpus).toMatchObject([
        { vendor: 'amd', totalBytes: null, availableBytes: null },
      ]);
      expect(sourceOf(snapshot, 'gpu:pci:0000:03:00.0')?.passedOver).toEqual([
        { source: '/sys/class/drm', reason, cause: null },
      ]);
    },
  );

  it('have null for impossible figures', async () => {
    const stdout = '1, GPU-1f, 00000000:01:00.0, X, 24576, 30000, 99999999, 700\n';
    const snapshot = await first({
      ...linux.virtualMachine,
      commands: [{ program: 'nvidia-smi', stdout }],
    });
    expect(snapshot.gpus[0]).toMatchObject({
      totalBytes: 24576 * MIB,
      usedBytes: null,
      availableBytes: null,
      utilizationRatio: null,
      readAtMs: null,
    });
    const reason = 'reports more free memory than the total';
    expect(sourceOf(snapshot, 'gpu:GPU-1f')).toMatchObject({
      source: null,
      passedOver: [{ source: 'nvidia-smi', reason }],
    });
  });

  const gpusOf = async (machine: Machine) =>
    (await first(machine)).gpus.map(
      ({ deviceKey, kind, memory, totalBytes, usedBytes, availableBytes }) => ({
        deviceKey,
        kind,
        memory,
        totalBytes,
        usedBytes,
        availableBytes,
      }),
    );

  it('of an unknown driver without memory figures share RAM, as those of a virtual Mac on Intel', async () => {
    const commands = (darwin.virtualMac.commands ?? []).map((command) =>
      command.program === 'ioreg'
        ? {
            ...command,
            stdout: command.stdout.replaceAll('AppleParavirtGPU', 'AppleParavirtAccelerator'),
          }
        : command,
    );
    const machine = { ...darwin.virtualMac, commands };
    expect(await gpusOf(machine)).toMatchObject([
      { kind: null, memory: 'shared', totalBytes: null },
    ]);
    expect((await first(machine)).unified).toBe(false);
  });

  it('are an empty list with reasons on a machine without GPUs', async () => {
    const snapshot = await first(linux.virtualMachine);
    expect(snapshot.gpus).toEqual([]);
    expect(sourceOf(snapshot, 'gpus')?.passedOver).toEqual([
      { source: 'nvidia-smi', reason: 'not found on the PATH', cause: 'not-installed' },
      { source: '/sys/class/drm', reason: 'the kernel lists no graphics card', cause: null },
    ]);
  });

  // What nvidia-smi prints on a machine without a card, and after an update of the driver until the next start.
  it.each([
    ['No devices were found', 'no-device'],
    ['Failed to initialize NVML: Driver/library version mismatch', null],
  ])('have the cause of an empty list where nvidia-smi prints %j', async (stdout, cause) => {
    const { executor, monitor } = assembleMachine({
      ...linux.virtualMachine,
      commands: [{ program: 'nvidia-smi', stdout }],
    });
    const taken = monitor.snapshot();
    await new Promise(setImmediate);
    for (const stream of executor.running) stream.end('exited with code 6');
    const snapshot = await taken;
    expect(sourceOf(snapshot, 'gpus')?.passedOver[0]).toMatchObject({
      source: 'nvidia-smi',
      reason: expect.stringContaining(`nvidia-smi said: ${stdout}`),
      cause,
    });
    await monitor[Symbol.asyncDispose]();
  });

  type Figures = Awaited<ReturnType<typeof gpusOf>>[number];
  const FIGURES: readonly (readonly [Machine, Figures])[] = [
    [
      linuxGpus.amdCard,
      {
        deviceKey: 'pci:0000:03:00.0',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 8_573_157_376,
        usedBytes: 6_812_925_952,
        availableBytes: 1_760_231_424,
      },
    ],
    [
      // The machine's source has only totals, so free memory is not known.
      linuxGpus.amdPolaris,
      {
        deviceKey: 'pci:0000:0a:00.0',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 4 * GIB,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      // The pool is carve-out and system memory together: 124.5 GiB, of which 63 GiB + 455 MiB are in use.
      linuxGpus.amdApu,
      {
        deviceKey: 'pci:0000:c3:00.0',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 124.5 * GIB,
        usedBytes: 64_967 * MIB,
        availableBytes: 62_521 * MIB,
      },
    ],
    [
      linuxGpus.amdApuPagesLimit,
      {
        deviceKey: 'pci:0000:c4:00.0',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 100 * GIB,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      // Carve-out and GTT are 132 GiB together, and the machine has 119.5 GiB of RAM.
      linuxGpus.amdApuAboveRam,
      {
        deviceKey: 'pci:0000:c3:00.0',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 119.5 * GIB,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      linuxGpus.nvidiaCard,
      {
        deviceKey: 'GPU-00000000-0000-0000-0000-000000000001',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 1995 * MIB,
        usedBytes: 1934 * MIB,
        availableBytes: 61 * MIB,
      },
    ],
    [
      linuxGpus.intelXe,
      {
        deviceKey: 'pci:0000:03:00.0',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 12 * GIB,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      linuxGpus.nvidiaAsleep,
      {
        deviceKey: 'pci:0000:01:00.0',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      linuxGpus.dgxSpark,
      {
        deviceKey: 'GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      // Two thirds of 16 GiB minus `Alloc system memory`, which is larger than `In use system memory`.
      darwin.appleSilicon,
      {
        deviceKey: 'apple',
        kind: 'unified',
        memory: 'shared',
        totalBytes: 11_453_246_122,
        usedBytes: 1_574_862_848,
        availableBytes: 9_878_383_274,
      },
    ],
    [
      // Two thirds of 7 GiB. The driver reports no use.
      darwin.virtualMac,
      {
        deviceKey: 'apple',
        kind: 'unified',
        memory: 'shared',
        totalBytes: 5_010_795_178,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      darwin.intelMac,
      {
        deviceKey: 'ioreg:IntelAccelerator',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: null,
        usedBytes: null,
        availableBytes: null,
      },
    ],
    [
      windows.windowsApu,
      {
        deviceKey: 'dx:1002:?',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 21_050_165_248,
        usedBytes: 1_168_231_104,
        availableBytes: 19_881_934_144,
      },
    ],
    [
      // nvidia-smi prints 8128 MiB, but Windows lets this GPU use 27 GiB more.
      windows.windowsN1x,
      {
        deviceKey: 'GPU-11111111-2222-3333-4444-555555555555',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 8128 * MIB + 27 * GIB,
        usedBytes: 199 * MIB + GIB,
        availableBytes: 7929 * MIB + 26 * GIB,
      },
    ],
    [
      windows.windowsNvidia,
      {
        deviceKey: 'GPU-00000000-0000-0000-0000-000000000002',
        kind: 'discrete',
        memory: 'dedicated',
        totalBytes: 8188 * MIB,
        usedBytes: 7776 * MIB,
        availableBytes: 412 * MIB,
      },
    ],
    [
      windows.windowsIntel,
      {
        deviceKey: 'dx:8086:64a0',
        kind: 'integrated',
        memory: 'shared',
        totalBytes: 18_504 * MIB,
        usedBytes: null,
        availableBytes: null,
      },
    ],
  ];
  it.each(FIGURES.map(([machine, figures]) => [machine.name, machine, figures] as const))(
    'of %s',
    async (_, machine, figures) => expect(await gpusOf(machine)).toEqual([figures]),
  );

  it('of Intel and Apple take from a survey no more than the RAM of the machine', async () => {
    const totals = [linux.intelIntegrated, darwin.appleSilicon].map(async (machine) => {
      const { monitor } = assembleMachine(machine);
      const integration = 'integrated' as const;
      const surveyed = { name: null, integration, vendor: null, dedicatedBytes: 0 };
      monitor.inform({ survey: { gpus: [{ ...surveyed, totalBytes: 1024 * GIB }] } });
      const { ram, gpus } = await monitor.snapshot();
      await monitor[Symbol.asyncDispose]();
      return [gpus[0]?.memory, (gpus[0]?.totalBytes ?? NaN) / ram.machineTotalBytes];
    });
    expect(await Promise.all(totals)).toEqual([
      ['shared', 1],
      ['shared', 1],
    ]);
  });

  it('that are equal are listed as two, and idle ones have a load of 0', async () => {
    const { gpus } = await first(linuxGpus.twoNvidiaCards);
    expect(
      gpus.map(({ deviceKey, usedBytes, utilizationRatio }) => [
        deviceKey,
        usedBytes,
        utilizationRatio,
      ]),
    ).toEqual([
      ['GPU-c7b57be0-94ff-d352-a59b-d0ee00aeed43', MIB, 0],
      ['GPU-d6de6afc-bdfe-75c4-5273-0544439153fc', MIB, 0],
    ]);
  });

  it('have no name if the system does not report one', async () => {
    const { gpus } = await first(linux.intelIntegrated);
    expect(
      gpus.map(({ name, kind, memory, totalBytes }) => [name, kind, memory, totalBytes]),
    ).toEqual([
      [null, 'integrated', 'shared', null],
      [null, 'discrete', 'dedicated', null],
    ]);
  });

  it('share one pool with the CPU on Apple silicon only', async () => {
    for (const machine of ALL) {
      expect([machine.name, (await first(machine)).unified]).toEqual([
        machine.name,
        machine === darwin.appleSilicon || machine === darwin.virtualMac,
      ]);
    }
  });

  it('name their source, and mark an estimated total', async () => {
    expect(sourceOf(await first(linuxGpus.amdCard), 'gpu:pci:0000:03:00.0')?.source).toBe(
      '/sys/class/drm',
    );
    expect(sourceOf(await first(windows.windowsNvidia), 'gpus')?.source).toBe(
      'nvidia-smi, GPU Adapter Memory counters',
    );
    expect(sourceOf(await first(darwin.appleSilicon), 'gpu:apple')?.source).toMatch(
      /estimated total/,
    );
  });
});

describe('power', () => {
  it('is read from battery and mains adapter', async () => {
    expect((await first(windows.windowsIntel)).power).toEqual({
      onBattery: true,
      chargeRatio: 0.8,
    });
    expect((await first(darwin.appleSilicon)).power).toEqual({ onBattery: false, chargeRatio: 1 });
    // The capture of this machine has no /sys/class/power_supply.
    expect((await first(linux.virtualMachine)).power).toEqual({
      onBattery: null,
      chargeRatio: null,
    });
  });
});

describe('a one-shot snapshot', () => {
  it('starts no program on Linux without nvidia-smi', async () => {
    const { monitor, executor } = assembleMachine(linux.virtualMachine);
    await monitor.snapshot();
    expect(executor.started).toEqual([]);
  });

  it('leaves no file open and no program running', async () => {
    for (const machine of ALL) {
      const { monitor, files, executor, clock } = assembleMachine(machine);
      await monitor.snapshot();
      await monitor[Symbol.asyncDispose]();
      expect([machine.name, files.open, executor.running.size, clock.sleeping]).toEqual([
        machine.name,
        0,
        0,
        0,
      ]);
    }
  });
});
