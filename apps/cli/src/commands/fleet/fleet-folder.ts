import path from 'node:path';
import type { Host } from '@mai/host';

/** Folder of the keys and the configuration of this machine's fleet. */
export function fleetFolderOf({ folders }: Host): string {
  return path.join(folders.data, 'fleet');
}
