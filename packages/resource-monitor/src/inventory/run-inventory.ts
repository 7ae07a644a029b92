import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Executor } from '../ports/executor.js';
import type { MachineInventory } from './inventory.js';
import { parseInventory } from './inventory.js';

/**
 * Deadline of the child process. It is long because the child runs slow tools. The tools are killed together
 * with the child.
 */
const TIMEOUT_MS = 20_000;

/** The inventory, or the reason why it is missing. */
export type InventoryOutcome =
  { readonly inventory: MachineInventory } | { readonly reason: string };

/**
 * Runs systeminformation in a child process. `script` is the path of the child's program; null: the program
 * beside this package's bundle.
 */
export async function runInventory(
  executor: Executor,
  script: string | null,
  signal: AbortSignal | null,
): Promise<InventoryOutcome> {
  const file = script ?? findScript();
  if (file === null) return { reason: 'inventory-child.js is missing beside this package' };
  const { outcome, exitCode, stdout, stderr } = await executor.run(process.execPath, [file], {
    timeoutMs: TIMEOUT_MS,
    signal,
    // systeminformation runs lspci, nvidia-smi and other programs.
    startsOthers: true,
  });
  const inventory = outcome === 'exited' && exitCode === 0 ? parseInventory(stdout) : null;
  if (inventory !== null) return { inventory };
  if (outcome === 'timed-out') return { reason: `no answer within ${TIMEOUT_MS / 1000} s` };
  const detail = stderr.trim().split('\n').at(-1) ?? '';
  return { reason: detail === '' ? `ended with code ${exitCode}` : detail };
}

/** Finds the script beside the bundle, or one folder up if the bundle was split into chunks. */
function findScript(): string | null {
  const self = import.meta.url;
  const name = `inventory-child${self.endsWith('.cjs') ? '.cjs' : '.js'}`;
  const places = [`./${name}`, `../${name}`].map((place) => fileURLToPath(new URL(place, self)));
  return places.find((place) => existsSync(place)) ?? null;
}
