import { access, constants, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf, messageOf } from '../guards.js';
import type { HostContext } from '../host-options.js';
import { formatBytes } from '../words.js';
import { fault, ok, warning, type Check } from './check.js';

const NAME = 'Data folder';
const MIB = 2 ** 20;
/** A full decision log with its older files has 40 MiB. */
const SPARE_BYTES = 64 * MIB;
/** With less, the next write of the journal or of a decision may fail. */
const NEEDED_BYTES = MIB;

/** Checks that Mai can write its journal, its decisions and its measurements. Writes nothing. */
export async function checkDataFolder({
  folders: { data },
}: Pick<HostContext, 'folders'>): Promise<Check> {
  try {
    const folder = await nearestFolder(data);
    await access(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(folder);
    const free = `${formatBytes(bavail * bsize)} free on its disk`;
    if (bavail * bsize < NEEDED_BYTES)
      return fault(NAME, `${data} cannot be written: ${free}.`, FREE_SPACE);
    return bavail * bsize < SPARE_BYTES
      ? warning(NAME, `${data} has only ${free}.`, FREE_SPACE)
      : ok(NAME, `${data}, ${free}.`);
  } catch (error) {
    return fault(
      NAME,
      `${data} cannot be written: ${messageOf(error)}. So no model can be loaded, and nothing is learned.`,
      'Make it writable for this user, or choose another place with XDG_DATA_HOME (Linux) or LOCALAPPDATA (Windows).',
    );
  }
}

const FREE_SPACE = 'Free space on that disk.';

/** The folder, or the nearest one above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    const above = path.dirname(folder);
    if (errorCodeOf(error) !== 'ENOENT' || above === folder) throw error;
    return nearestFolder(above);
  }
}
