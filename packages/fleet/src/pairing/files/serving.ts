import { z } from 'zod/mini';
import { fleetPaths, parseFile } from './fleet-folder.js';
import { readPrivateFile, writePrivateFile } from './private-file.js';

const schema = z.object({ version: z.literal(1), epoch: z.string() });

/**
 * Notes the epoch of this machine's last start, for `mai fleet status` in another process: where another epoch answers under the name
 * of this machine, another machine has a copy of its keys.
 *
 * @throws FleetError `FILE_UNUSABLE`
 */
export async function writeServing(folder: string, epoch: string): Promise<void> {
  await writePrivateFile(fleetPaths(folder).serving, JSON.stringify({ version: 1, epoch }));
}

/** The epoch of this machine's last start; null where it is not known. @throws FleetError `FILE_UNUSABLE` */
export async function readServingEpoch(folder: string): Promise<string | null> {
  const path = fleetPaths(folder).serving;
  const text = await readPrivateFile(path);
  return text === null ? null : parseFile(path, text, schema).epoch;
}
