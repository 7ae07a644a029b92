import type { GpuVendor } from '@mai/memory-ledger';
import type { FileTree } from '../../ports/file-tree.js';

/** A graphics card in sysfs. */
export interface DrmCard {
  /** Such as `card0`. */
  readonly name: string;
  /** Its folder in sysfs. */
  readonly folder: string;
  /** Such as `0000:03:00.0`; null for a GPU that is not on a PCI bus. */
  readonly pciAddress: string | null;
  readonly vendor: GpuVendor;
  /** PCI ids of vendor and device, such as `1002:744c`. */
  readonly pciId: string | null;
  readonly driver: string | null;
}

/** PCI vendor ids. */
const VENDORS: ReadonlyMap<string | null, GpuVendor> = new Map([
  ['0x10de', 'nvidia'],
  ['0x1002', 'amd'],
  ['0x8086', 'intel'],
]);

/** The cards in /sys/class/drm of known GPU vendors, without their connectors. */
export function listDrmCards(files: FileTree): readonly DrmCard[] {
  return files
    .list('/sys/class/drm')
    .filter((name) => /^card\d+$/.test(name))
    .sort((one, other) => Number(one.slice(4)) - Number(other.slice(4)))
    .flatMap((name): DrmCard[] => {
      const folder = `/sys/class/drm/${name}/device`;
      const text = (file: string): string | null =>
        files.readText(`${folder}/${file}`)?.trim() ?? null;
      const vendorId = text('vendor')?.toLowerCase() ?? null;
      const vendor = VENDORS.get(vendorId);
      // The display adapters of server management controllers (ASPEED, Matrox) and of hypervisors cannot
      // run models.
      if (vendor === undefined) return [];
      const event = text('uevent') ?? '';
      const deviceId = text('device')?.toLowerCase().replace(/^0x/, '') ?? null;
      return [
        {
          name,
          folder,
          vendor,
          pciAddress: /^PCI_SLOT_NAME=(.+)$/m.exec(event)?.[1]?.toLowerCase() ?? null,
          driver: /^DRIVER=(.+)$/m.exec(event)?.[1] ?? null,
          pciId: deviceId === null ? null : `${vendorId?.slice(2)}:${deviceId}`,
        },
      ];
    });
}

/** The file of a device that tells whether it is suspended. Reading it does not wake the device. */
export const RUNTIME_STATUS = 'power/runtime_status';

/** Whether a device with this text in its `RUNTIME_STATUS` is suspended, or about to be. */
export function isSuspended(status: string | null): boolean {
  return /^suspend(ed|ing)\s*$/.test(status ?? '');
}
