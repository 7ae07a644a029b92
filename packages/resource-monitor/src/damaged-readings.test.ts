import { assembleMachine } from '../test/assemble-machine.js';
import * as darwin from '../test/machines/darwin.js';
import * as linux from '../test/machines/linux.js';
import * as linuxGpus from '../test/machines/linux-gpus.js';
import * as linuxMemory from '../test/machines/linux-memory.js';
import type { Machine } from '../test/machines/machine.js';
import * as windows from '../test/machines/windows.js';
import type { ResourceSnapshot } from './snapshot.js';

const MACHINES: readonly Machine[] = [linux, linuxGpus, linuxMemory, darwin, windows].flatMap(
  (module) => Object.values(module),
);
const ROUNDS = 40;

/** A linear congruential generator: the same sequence in every run. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff) / 0x7fff_ffff;
}

function damage(text: string, random: () => number): string {
  let damaged = text;
  for (let left = 1 + Math.floor(random() * 4); left > 0; left -= 1) {
    const at = Math.floor(random() * damaged.length);
    const [head, tail] = [damaged.slice(0, at), damaged.slice(at)];
    const kind = random();
    if (kind < 0.2) damaged = head;
    else if (kind < 0.6)
      damaged = head + '0123456789-. max\n:x%'.charAt(random() * 20) + tail.slice(1);
    else if (kind < 0.7) damaged = '';
    else if (kind < 0.85) damaged = head + String(Math.floor(random() * 1e18)) + tail;
    else damaged = head + tail.slice(Math.floor(random() * 20));
  }
  return damaged;
}

function damageMachine(machine: Machine, random: () => number): Machine {
  const files = Object.entries(machine.files ?? {})
    .filter(() => random() > 0.02)
    .map(([name, text]) => [name, random() < 0.35 ? damage(text, random) : text] as const);
  const commands = (machine.commands ?? []).map((command) =>
    random() < 0.5 ? { ...command, stdout: damage(command.stdout, random) } : command,
  );
  return { ...machine, files: Object.fromEntries(files), commands };
}

/** The impossible figures of a snapshot. */
function impossible({ ram, swap, gpus, cpu, pressure, power }: ResourceSnapshot): string[] {
  const found: string[] = [];
  const check = (value: unknown, name: string): void => {
    if (typeof value === 'number') {
      if (!Number.isFinite(value) || value < 0) found.push(`${name} is ${value}`);
      else if (name.endsWith('Ratio') && value > 1) found.push(`${name} is above 1`);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) check(inner, `${name}.${key}`);
    }
  };
  check({ ram, swap, cpu, pressure, power }, 'snapshot');
  gpus.forEach((gpu) => check({ ...gpu, readAtMs: null }, 'gpu'));
  const pools = [
    { name: 'ram', totalBytes: ram.totalBytes, bytes: ram.availableBytes },
    { name: 'swap', totalBytes: swap.totalBytes, bytes: swap.freeBytes },
    ...gpus.map(({ totalBytes, availableBytes: bytes }) => ({
      name: 'available of a GPU',
      totalBytes,
      bytes,
    })),
    // The total of shared memory is only a cap, so the use may be above it.
    ...gpus
      .filter(({ memory }) => memory === 'dedicated')
      .map(({ totalBytes, usedBytes: bytes }) => ({ name: 'used of a GPU', totalBytes, bytes })),
  ];
  for (const { name, totalBytes, bytes } of pools) {
    if (totalBytes === 0 && name !== 'swap') found.push(`${name}: a total of 0`);
    if (totalBytes !== null && bytes !== null && bytes > totalBytes)
      found.push(`${name}: more than its total`);
  }
  return found;
}

it('no snapshot has an impossible figure, even if the output of kernel and tools is damaged', async () => {
  const random = randomSource(7);
  let measured = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const machine of MACHINES) {
      const { monitor, clock } = assembleMachine(damageMachine(machine, random));
      const pending = monitor.snapshot();
      await clock.advance(20_000);
      const snapshot = await pending;
      expect([machine.name, ...impossible(snapshot)]).toEqual([machine.name]);
      measured += snapshot.gpus.filter(({ availableBytes }) => availableBytes !== null).length;
      await monitor[Symbol.asyncDispose]();
    }
  }
  // The test proves something only if many figures survived the damage.
  expect(measured).toBeGreaterThan(ROUNDS);
});
