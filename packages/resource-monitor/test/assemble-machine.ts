import { assembleMonitor } from '../src/assemble-monitor.js';
import type { ResourceMonitor } from '../src/monitor/resource-monitor.js';
import type { FakeClock } from './fake-clock.js';
import { createFakeClock } from './fake-clock.js';
import type { FakeExecutor } from './fake-executor.js';
import { createFakeExecutor } from './fake-executor.js';
import type { FakeFileTree } from './fake-file-tree.js';
import { createFakeFileTree } from './fake-file-tree.js';
import type { Machine } from './machines/machine.js';

/** A monitor of a recorded machine, with the fakes that it uses. */
export function assembleMachine(machine: Machine): {
  readonly monitor: ResourceMonitor;
  readonly clock: FakeClock;
  readonly files: FakeFileTree;
  readonly executor: FakeExecutor;
} {
  const clock = createFakeClock();
  const files = createFakeFileTree(machine.files ?? {});
  const executor = createFakeExecutor(machine.commands ?? []);
  const memory = machine.memory ?? { totalBytes: 1024 ** 3, freeBytes: 1024 ** 2 };
  const monitor = assembleMonitor({
    platform: machine.platform,
    files,
    clock,
    executor,
    env: {},
    gpuFirstAnswerMs: 2500,
    inventoryScript: '/nowhere/inventory-child.js',
    nodeMemory: () => memory,
  });
  return { monitor, clock, files, executor };
}
