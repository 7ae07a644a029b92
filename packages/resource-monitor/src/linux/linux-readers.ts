import type { NodeMemory } from '../any-platform/node-readers.js';
import type { Clock } from '../ports/clock.js';
import type { FileTree } from '../ports/file-tree.js';
import type { PlatformReaders } from '../reading/figures.js';
import { cgroupCpu } from './cgroups/cgroup-cpu.js';
import { createCgroupFinder } from './cgroups/cgroup-folders.js';
import { createCgroupMemory } from './cgroups/cgroup-memory.js';
import { coreCounter, linuxLoadAverages, machineCpu } from './cpu-times.js';
import { createMemInfo } from './meminfo.js';
import { linuxPower } from './power-supply.js';
import { linuxPressure } from './pressure.js';
import { linuxEngines } from './processes.js';
import { cgroupRam, linuxSwap, machineRam } from './ram.js';
import { linuxSwapCounters } from './swap-counters.js';
import { sysfsGpus } from './gpus/sysfs-gpus.js';
import { createZfsArc } from './zfs-arc.js';

/** Readers of the kernel's files. They start no program. */
export function linuxReaders(
  files: FileTree,
  clock: Clock,
  nodeMemory: () => NodeMemory,
): PlatformReaders {
  const findCgroup = createCgroupFinder(files);
  const memInfo = createMemInfo(files);
  const cgroup = createCgroupMemory(files, findCgroup);
  const arc = createZfsArc(files);
  const ramSources = {
    cgroup,
    memInfo,
    readEvictableBytes: arc.readEvictableBytes,
    // Node's libuv calls sysinfo(2) if /proc/meminfo has no MemTotal.
    systemTotalBytes: () => nodeMemory().totalBytes,
  };
  const cores = coreCounter(files);
  const quota = cgroupCpu(files, findCgroup, cores);
  const machine = machineCpu(files, cores);
  const load = linuxLoadAverages(files);
  const pressure = linuxPressure(files, findCgroup);
  const swapCounters = linuxSwapCounters(files);
  const engines = linuxEngines(files, () => clock.monotonicMs());
  const gpus = sysfsGpus(files, clock);
  const power = linuxPower(files, () => clock.monotonicMs());
  return {
    ram: [cgroupRam(ramSources), machineRam(ramSources)],
    ramIsCheap: true,
    swap: linuxSwap(ramSources),
    swapCounters: [swapCounters],
    pressure,
    cpu: [quota, machine],
    loadAverages: [load],
    engines: [engines],
    gpus: [gpus],
    power: [power],
    knowEngines: (processIds) => engines.know(processIds),
    close() {
      for (const part of [
        memInfo,
        arc,
        cgroup,
        quota,
        machine,
        load,
        ...pressure,
        swapCounters,
        engines,
        gpus,
        power,
      ]) {
        part?.close();
      }
      return Promise.resolve();
    },
  };
}
