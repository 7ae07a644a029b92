import type { MachineInventory } from '../inventory/inventory.js';
import type { InventoryOutcome } from '../inventory/run-inventory.js';
import type { Clock } from '../ports/clock.js';
import type { GpuReading, PlatformReaders } from '../reading/figures.js';
import type { Reader, Reading } from '../reading/reader.js';

/** Interval between queries. Each query starts several processes. */
const ASK_AGAIN_AFTER_MS = 10_000;
const STALE_AFTER_MS = 40_000;

/**
 * Readers for other platforms, such as FreeBSD. systeminformation runs in the background, and samples use its
 * last answer. The first snapshot uses Node's figures.
 */
export function systeminformationReaders(
  ask: (signal: AbortSignal) => Promise<InventoryOutcome>,
  clock: Clock,
): Pick<PlatformReaders, 'ram' | 'gpus' | 'power' | 'close'> {
  const over = new AbortController();
  let last: { readonly inventory: MachineInventory; readonly atMs: number } | null = null;
  let failure: string | null = null;
  let askedAtMs: number | null = null;
  let asking = false;

  const refresh = (): void => {
    const nowMs = clock.monotonicMs();
    if (asking || (askedAtMs !== null && nowMs - askedAtMs < ASK_AGAIN_AFTER_MS)) return;
    askedAtMs = nowMs;
    asking = true;
    void ask(over.signal).then((outcome) => {
      asking = false;
      if ('reason' in outcome) failure = outcome.reason;
      else last = { inventory: outcome.inventory, atMs: clock.monotonicMs() };
    });
  };
  const part = <T>(pick: (inventory: MachineInventory) => Reading<T>): Reader<T> => ({
    source: 'systeminformation',
    read: ({ continuing }) => {
      if (continuing) refresh();
      if (last === null) return { reason: failure ?? 'no answer yet' };
      const ageMs = clock.monotonicMs() - last.atMs;
      if (ageMs > STALE_AFTER_MS) {
        return { reason: `the last answer is ${Math.round(ageMs / 1000)} s old` };
      }
      return pick(last.inventory);
    },
  });

  return {
    ram: [
      part(({ memory }) =>
        memory === null
          ? { reason: 'no memory figures' }
          : {
              value: {
                totalBytes: memory.totalBytes,
                availableBytes: memory.availableBytes,
                mappedCountsAsUsed: null,
                limitedBy: 'machine',
                machineTotalBytes: memory.totalBytes,
              },
            },
      ),
    ],
    gpus: [part(({ gpus }) => ({ value: gpus.map(toReading) }))],
    power: [
      part(({ battery }) => ({
        // `battery` is null if the machine has no battery, and also if the battery could not be read.
        value: battery ?? { onBattery: null, chargeRatio: null },
      })),
    ],
    close: () => {
      over.abort();
      return Promise.resolve();
    },
  };
}

function toReading(
  { name, pciAddress, totalBytes }: MachineInventory['gpus'][number],
  index: number,
): GpuReading {
  return {
    deviceKey: pciAddress === null ? `inventory:${index}` : `pci:${pciAddress}`,
    pciAddress,
    totalIsEstimate: false,
    closed: null,
    pciId: null,
    name,
    vendor: null,
    kind: null,
    memory: totalBytes === null ? 'shared' : 'dedicated',
    totalBytes,
    usedBytes: null,
    availableBytes: null,
    utilizationRatio: null,
    processes: null,
    readAtMonotonicMs: null,
    reasons: ['systeminformation reports capacities only'],
  };
}
