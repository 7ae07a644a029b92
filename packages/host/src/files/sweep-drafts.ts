import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { HostFolders } from './user-folders.js';

/** A write takes milliseconds. The process of an older draft was killed, also where the clock was set by some minutes. */
const STALE_MS = 3_600_000;
/** The deepest folder of Mai's own files, such as `autopilot/127.0.0.1:1234` and `fleet/nats` in the data folder. */
const MAX_DEPTH = 2;

/**
 * Removes the drafts that killed processes have left in Mai's own folders. Every package replaces a file by way of a draft beside it,
 * whose name ends in `.tmp`, and removes the draft itself where the write fails. Does nothing where a file cannot be removed:
 * the next sweep tries again.
 */
export async function sweepDrafts(folders: HostFolders): Promise<void> {
  const roots = new Set([folders.config, folders.data, folders.cache]);
  await Promise.all([...roots].map((folder) => sweep(folder, 0)));
}

async function sweep(folder: string, depth: number): Promise<void> {
  // The folder does not exist, or this user may not read it.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  await Promise.all(
    entries.map(async (entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await sweep(file, depth + 1);
      if (!entry.isFile() || !entry.name.endsWith('.tmp')) return;
      try {
        if (Date.now() - (await stat(file)).mtimeMs > STALE_MS) await rm(file, { force: true });
      } catch {
        // Another process has removed it, or this user may not.
      }
    }),
  );
}
