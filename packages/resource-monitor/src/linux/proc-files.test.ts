import { createFakeFileTree } from '../../test/fake-file-tree.js';
import { coreCounter, parseCpuLine } from './cpu-times.js';
import { parseMemInfo } from './meminfo.js';
import { linuxPower } from './power-supply.js';
import { linuxPressure } from './pressure.js';
import { linuxEngines, parseStat } from './processes.js';
import { linuxSwapCounters, readPageSize } from './swap-counters.js';

const once = { startedMs: 0, continuing: false };

describe('/proc/meminfo', () => {
  it('is read in bytes, in any order of the lines', () => {
    expect(
      parseMemInfo(
        'SwapCached: 5 kB\nMemTotal:  100 kB\nSwapTotal: 8 kB\nMemAvailable: 40 kB\nSwapFree: 0 kB\n',
      ),
    ).toEqual({
      totalBytes: 102_400,
      usableBytes: 102_400,
      availableBytes: 40_960,
      contradiction: null,
      availableIsKernels: true,
      swapTotalBytes: 8192,
      swapFreeBytes: 0,
    });
  });

  it('is estimated from free memory and cache on kernels without MemAvailable', () => {
    const info = parseMemInfo(
      'MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 2 kB\nCached: 9 kB\nSwapCached: 50 kB\nShmem: 1 kB\n',
    );
    expect(info).toMatchObject({
      availableBytes: 20 * 1024,
      availableIsKernels: false,
      swapTotalBytes: null,
    });
  });

  it.each([
    // Total, free, available, fault and the memory that is taken as available. The figures are from lxcfs issues 84, 389 and 120, or at the boundary of a
    // check.
    [998_384, 987_608, 987_608, null, 987_608],
    [1000, 900, 1000, null, 1000],
    [1000, 900, 1001, 'reports more available memory than the total', 900],
    [1000, 1001, 900, 'reports more free memory than the total', null],
    [1000, -1, 900, 'reports less than 0 bytes of memory', null],
    [1000, 1, -1, 'reports less than 0 bytes of memory', 1],
    [1000, 0, 0, 'reports neither free nor available memory', null],
    [1000, 251, 0, 'reports much free memory, but no available memory', 251],
    // Only the kernel's reserve is free. The machine has run out of memory, so 0 available bytes are valid.
    [1000, 30, 0, null, 0],
    [1000, 30, 18_446_744_073_708_785_356n, 'reports more available memory than the total', 30],
  ])(
    'of %s kB with %s free and %s available has the fault %j, and %j kB count as available',
    (total, free, available, fault, counted) => {
      expect(
        parseMemInfo(`MemTotal: ${total} kB\nMemFree: ${free} kB\nMemAvailable: ${available} kB\n`),
      ).toMatchObject({
        contradiction: fault,
        availableBytes: counted === null ? null : counted * 1024,
      });
    },
  );

  it.each([
    // elastic/beats #6351, where MemFree stands for the memory that is available: 56,274 pages of 2 MiB are 115,249,152 kB.
    [132_027_020, 10_274_084, 'HugePages_Total: 56274\nHugepagesize: 2048 kB\n', 16_777_868],
    // numactl/numactl #152: 2 pages of 1 GiB and 1024 of 2 MiB. Only the last line counts both sizes.
    [
      32_000_000,
      20_000_000,
      'HugePages_Total: 2\nHugepagesize: 1048576 kB\nHugetlb: 4194304 kB\n',
      27_805_696,
    ],
    // The pages leave 1000 kB, so 1000 kB can be available, but 1001 kB cannot.
    [3048, 1000, 'Hugetlb: 2048 kB\n', 1000],
    [3048, 1001, 'Hugetlb: 2048 kB\n', 3048],
    [2048, 0, 'Hugetlb: 2048 kB\n', 2048],
  ])(
    'of %i kB with %i kB available and %j: %i kB are usable, because huge pages are not',
    (total, available, lines, usable) => {
      const text = `MemTotal: ${total} kB\nMemFree: ${available || 1} kB\nMemAvailable: ${available} kB\n${lines}`;
      expect(parseMemInfo(text)).toMatchObject({
        totalBytes: total * 1024,
        usableBytes: usable * 1024,
        contradiction: null,
      });
    },
  );

  // The most that `si_mem_available` can add up to, and a tenth of the total for counters that lag behind.
  it.each([
    ['Cached: 300 kB\nBuffers: 50 kB\nSReclaimable: 30 kB\n', 580, null, 580],
    [
      'Cached: 300 kB\nBuffers: 50 kB\nSReclaimable: 30 kB\n',
      581,
      'reports more available memory than is free or can be reclaimed',
      450,
    ],
    ['Cached: 300 kB\nBuffers: 50 kB\nKReclaimable: 230 kB\nSReclaimable: 30 kB\n', 780, null, 780],
    // Without a line for the file cache, nothing can be compared.
    ['Buffers: 0 kB\n', 1000, null, 1000],
  ])(
    'of 1000 kB with 100 kB free and %j, %i available kB have the fault %j, and %i kB count',
    (lines, available, fault, counted) => {
      const text = `MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: ${available} kB\n${lines}`;
      expect(parseMemInfo(text)).toMatchObject({
        contradiction: fault,
        availableBytes: counted * 1024,
      });
    },
  );

  it('has available memory of null, not 0, if the file has only the total', () => {
    expect(parseMemInfo('MemTotal: 100 kB\n')?.availableBytes).toBeNull();
  });

  it.each(['0', '-5', '18446744073708785356'])('is null with a total of %s', (total) => {
    expect(parseMemInfo(`MemTotal: ${total} kB\nMemAvailable: 1 kB\n`)).toBeNull();
  });

  it('is null without a valid total', () => {
    expect(parseMemInfo('garbage')).toBeNull();
    expect(parseMemInfo(null)).toBeNull();
  });
});

describe('/proc/stat', () => {
  it('counts idle time and I/O wait as not busy, and guest time once', () => {
    // user 10, nice 20, system 30, idle 400, iowait 50, irq 6, softirq 7, steal 8, guest 9, guest_nice 10
    expect(parseCpuLine('cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 1 1 1 1\n')).toEqual({
      busyMs: 810,
      totalMs: 5310,
    });
  });

  it.each([null, '', 'cpu0 1 2 3 4', 'cpu  1 x 3 4'])('is null for %j', (text) => {
    expect(parseCpuLine(text)).toBeNull();
  });
});

describe('the cores of the machine', () => {
  it('are those in /proc/stat, even if this process may use fewer', () => {
    const files = createFakeFileTree({
      '/proc/stat': 'cpu  9 0 0 9\ncpu0 1 0 0 1\ncpu1 1 0 0 1\ncpu10 1 0 0 1\nintr 5\n',
    });
    expect(coreCounter(files)()).toBe(3);
  });
});

describe('/proc/PID/stat', () => {
  it('is read correctly after names with spaces and parentheses', () => {
    const rest =
      'S 1 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 777 1000 42 18446744073709551615';
    expect(parseStat(`7054 (node (LM) x) ${rest}`)).toEqual({
      name: 'node (LM) x',
      parentId: 1,
      cpuMs: 2000,
      startedAt: '777',
      residentPages: 42,
    });
  });
});

describe("LM Studio's processes", () => {
  const stat = (processId: number, name: string, parentId: number): string =>
    `${processId} (${name}) S ${parentId} 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 777 1000 42 0`;
  const names = async (files: Readonly<Record<string, string>>) => {
    const tree = createFakeFileTree(files);
    tree.links.set('/proc/8/exe', '/home/u/.lmstudio/.internal/utils/node');
    const reading = await linuxEngines(tree, () => 0).read({ startedMs: 0, continuing: true });
    return 'value' in reading ? reading.value.processes.map(({ name }) => name) : null;
  };

  it('are found by their names, and their engines by their parents', async () => {
    const files = {
      '/proc/1/stat': stat(1, 'init', 0),
      '/proc/5/stat': stat(5, 'llmster', 1),
      '/proc/6/stat': stat(6, 'node', 5),
      '/proc/7/stat': stat(7, 'node', 1),
    };
    expect(await names(files)).toEqual(['llmster', 'node']);
  });

  it('are found under the process name that Node 24 uses', async () => {
    const files = {
      '/proc/5/stat': stat(5, 'MainThread', 1),
      '/proc/5/cmdline': '/opt/lm studio/llmster\0--port\0',
      '/proc/6/stat': stat(6, 'MainThread', 1),
      '/proc/6/cmdline': '/usr/bin/node\0server.js\0',
      '/proc/7/stat': stat(7, 'MainThread', 5),
      '/proc/8/stat': stat(8, 'MainThread', 1),
      '/proc/8/cmdline': 'node\0worker.js\0',
    };
    expect(await names(files)).toEqual(['llmster', 'MainThread', 'node']);
  });
});

describe('/proc/pressure/memory', () => {
  it('gives the shares of the last 10 seconds', () => {
    const files = createFakeFileTree({
      '/proc/pressure/memory':
        'some avg10=12.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=2.25 avg60=0 avg300=0 total=1\n',
    });
    const [machine] = linuxPressure(files, () => null);
    expect(machine?.read(once)).toMatchObject({
      value: { stall: { someRatio: 0.125, fullRatio: 0.0225 }, level: null, commit: null },
    });
  });

  it('is unknown, not zero, if the kernel records no pressure', () => {
    expect(linuxPressure(createFakeFileTree({}), () => null)[0]?.read(once)).toHaveProperty(
      'reason',
    );
  });
});

describe('the page size', () => {
  it("is the kernel's, even if it is 16 KiB or 64 KiB", () => {
    const vector = Buffer.alloc(48);
    vector.writeBigUInt64LE(16n, 0);
    vector.writeBigUInt64LE(6n, 16);
    vector.writeBigUInt64LE(16384n, 24);
    const files = createFakeFileTree({ '/proc/self/auxv': vector.toString('latin1') });
    expect(readPageSize(files)).toBe(16384);
    expect(readPageSize(createFakeFileTree({}))).toBe(4096);
    const swapping = createFakeFileTree({
      '/proc/self/auxv': vector.toString('latin1'),
      '/proc/vmstat': 'nr_free_pages 1\npswpin 3\npswpout 5\n',
    });
    expect(linuxSwapCounters(swapping).read({ startedMs: 0, continuing: true })).toEqual({
      value: { inBytes: 3 * 16384, outBytes: 5 * 16384 },
    });
  });
});

describe('/sys/class/power_supply', () => {
  const power = async (files: Record<string, string>, folder = '/sys/class/power_supply') => {
    const prefixed = Object.entries(files).map(([path, text]): [string, string] => [
      `${folder}${path === '' ? '' : '/'}${path}`,
      `${text}\n`,
    ]);
    const reader = linuxPower(createFakeFileTree(Object.fromEntries(prefixed)), () => 0);
    const reading = await reader.read(once);
    return 'value' in reading ? reading.value : null;
  };

  it('distinguishes a laptop on battery from one that is plugged in', async () => {
    const battery = { 'BAT0/type': 'Battery', 'BAT0/capacity': '64' };
    expect(
      await power({
        ...battery,
        'BAT0/status': 'Discharging',
        'AC/type': 'Mains',
        'AC/online': '0',
      }),
    ).toEqual({
      onBattery: true,
      chargeRatio: 0.64,
    });
    expect(
      await power({ ...battery, 'BAT0/status': 'Charging', 'AC/type': 'Mains', 'AC/online': '1' }),
    ).toEqual({
      onBattery: false,
      chargeRatio: 0.64,
    });
  });

  it('ignores the battery of a mouse', async () => {
    expect(
      await power({
        'hid/type': 'Battery',
        'hid/scope': 'Device',
        'hid/status': 'Discharging',
        'hid/capacity': '5',
      }),
    ).toEqual({ onBattery: false, chargeRatio: null });
  });

  it('says that the machine is not on battery if the folder is empty', async () => {
    expect(await power({ '': '' })).toEqual({ onBattery: false, chargeRatio: null });
  });

  it('leaves it unknown whether the machine is on battery if the folder does not exist', async () => {
    expect(await power({})).toBeNull();
  });
});
