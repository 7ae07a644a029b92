import type { FileTree } from '../ports/file-tree.js';
import type { Reader } from '../reading/reader.js';
import type { PowerSnapshot } from '../snapshot.js';

const FOLDER = '/sys/class/power_supply';
/** Interval between readings. The charge changes slowly, and some drivers read the battery over a slow bus. */
const REREAD_AFTER_MS = 30_000;

/** Reads batteries and mains adapters from /sys/class/power_supply. */
export function linuxPower(
  files: FileTree,
  monotonicMs: () => number,
): Reader<PowerSnapshot> & { close(): void } {
  let last: { value: PowerSnapshot; atMs: number } | null = null;
  let supplies: Supply[] | null = null;
  const close = (): void => {
    for (const supply of supplies ?? []) for (const file of Object.values(supply)) file.close();
    supplies = null;
  };
  return {
    source: FOLDER,
    async read() {
      if (last !== null && monotonicMs() - last.atMs < REREAD_AFTER_MS)
        return { value: last.value };
      // If the folder is missing, the kernel was built without this class. The machine may still run on a battery.
      if (!files.exists(FOLDER)) return { reason: 'the folder does not exist' };
      close();
      supplies = files.list(FOLDER).map((name) => openSupply(files, `${FOLDER}/${name}`));
      last = { value: await readPower(supplies), atMs: monotonicMs() };
      close();
      return { value: last.value };
    },
    close,
  };
}

type Supply = Readonly<
  Record<'type' | 'scope' | 'online' | 'status' | 'capacity', ReturnType<FileTree['keep']>>
>;

function openSupply(files: FileTree, folder: string): Supply {
  const keep = (name: string) => files.keep(`${folder}/${name}`);
  return {
    type: keep('type'),
    scope: keep('scope'),
    online: keep('online'),
    status: keep('status'),
    capacity: keep('capacity'),
  };
}

async function readPower(supplies: readonly Supply[]): Promise<PowerSnapshot> {
  const read = async (supply: Supply, name: keyof Supply): Promise<string | null> =>
    (await supply[name].readLater())?.trim() ?? null;
  let plugged: boolean | null = null;
  let discharging = false;
  let chargeRatio: number | null = null;
  for (const supply of supplies) {
    const type = await read(supply, 'type');
    // The battery of a peripheral, such as a wireless mouse.
    if ((await read(supply, 'scope')) === 'Device') continue;
    if (type === 'Battery') {
      discharging ||= (await read(supply, 'status')) === 'Discharging';
      const percent = Number((await read(supply, 'capacity')) ?? Number.NaN);
      if (!Number.isNaN(percent)) chargeRatio ??= percent / 100;
    } else if ((await read(supply, 'online')) !== null) {
      plugged = plugged === true || (await read(supply, 'online')) !== '0';
    }
  }
  const onBattery =
    plugged === null ? discharging : !plugged && (discharging || chargeRatio !== null);
  return { onBattery, chargeRatio };
}
