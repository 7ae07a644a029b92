// The only file that imports systeminformation. Some of systeminformation's calls run other programs
// synchronously and without a deadline. So this file is a separate program, which can be killed.
import { battery, cpu, graphics, mem, osInfo } from 'systeminformation';
import type { InventoryGpu, MachineInventory } from './inventory.js';

const BYTES_PER_MIB = 1024 * 1024;

async function takeInventory(): Promise<MachineInventory> {
  const [processor, system, memory, cards, cell] = await Promise.all([
    cpu().catch(() => null),
    osInfo().catch(() => null),
    mem().catch(() => null),
    graphics().catch(() => null),
    battery().catch(() => null),
  ]);
  return {
    cpu: {
      name:
        processor === null ? null : orNull(`${processor.manufacturer} ${processor.brand}`.trim()),
      physicalCores: processor?.physicalCores ?? null,
    },
    os: { name: orNull(system?.distro ?? ''), release: orNull(system?.release ?? '') },
    gpus: (cards?.controllers ?? []).map(
      ({ model, name, vendor, vram, vramDynamic, busAddress }): InventoryGpu => ({
        name: orNull(name ?? '') ?? orNull(model),
        vendor: orNull(vendor),
        pciAddress: pciAddressOf(busAddress ?? ''),
        // 0 or null means unknown.
        totalBytes: vramDynamic || vram === null || vram <= 0 ? null : vram * BYTES_PER_MIB,
      }),
    ),
    memory:
      memory === null || memory.total <= 0
        ? null
        : { totalBytes: memory.total, availableBytes: memory.available },
    battery:
      cell === null || !cell.hasBattery
        ? null
        : { onBattery: !cell.acConnected, chargeRatio: cell.percent / 100 },
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

/** lspci omits the PCI domain if it is 0. */
function pciAddressOf(address: string): string | null {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])$/i.exec(address);
  if (match === null) return null;
  return `${(match[1] ?? '0000').slice(-4)}:${match[2]}`.toLowerCase();
}

void takeInventory().then((maiInventory) => {
  process.stdout.write(JSON.stringify({ maiInventory }));
});
