import { access, constants, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf, messageOf } from '../guards.js';
import type { HostContext } from '../host-options.js';
import { formatBytes } from '../words.js';
import { fault, ok, warning, type Check } from './check.js';

const MIB = 2 ** 20;
/** With less, the next write may fail. */
const NEEDED_BYTES = MIB;

/** A folder that Mai writes to. */
interface Written {
  readonly name: string;
  readonly folder: string;
  /** With fewer bytes free on its disk, the disk is soon too full. */
  readonly spareBytes: number;
  /** The outcome where it cannot be written, as a sentence. */
  readonly consequence: string;
  /** Where the folder comes from on Linux and on Windows. */
  readonly variables: string;
  readonly isNeeded: boolean;
}

/** Checks that Mai can write its journal, decisions and measurements, and its caches. Writes nothing. */
export async function checkFolders({
  folders: { data, cache },
}: Pick<HostContext, 'folders'>): Promise<readonly Check[]> {
  return Promise.all([
    checkFolder({
      name: 'Data folder',
      folder: data,
      // A full decision log with its older files has 40 MiB.
      spareBytes: 64 * MIB,
      consequence: 'So no model can be loaded, and nothing is learned.',
      variables: 'XDG_DATA_HOME (Linux) or LOCALAPPDATA (Windows)',
      isNeeded: true,
    }),
    checkFolder({
      name: 'Cache folder',
      folder: cache,
      spareBytes: NEEDED_BYTES,
      consequence: 'So the files of the models are read again at each start.',
      variables: 'XDG_CACHE_HOME (Linux) or LOCALAPPDATA (Windows)',
      isNeeded: false,
    }),
  ]);
}

async function checkFolder({
  name,
  folder,
  spareBytes,
  consequence,
  variables,
  isNeeded,
}: Written): Promise<Check> {
  const failed = isNeeded ? fault : warning;
  try {
    const existing = await nearestFolder(folder);
    await access(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = `${formatBytes(bavail * bsize)} free on its disk`;
    if (bavail * bsize < NEEDED_BYTES)
      return failed(name, `${folder} cannot be written: ${free}. ${consequence}`, FREE_SPACE);
    return bavail * bsize < spareBytes
      ? warning(name, `${folder} has only ${free}.`, FREE_SPACE)
      : ok(name, `${folder}, ${free}.`);
  } catch (error) {
    return failed(
      name,
      `${folder} cannot be written: ${messageOf(error)}. ${consequence}`,
      `Make it writable for this user, or choose another place with ${variables}.`,
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
