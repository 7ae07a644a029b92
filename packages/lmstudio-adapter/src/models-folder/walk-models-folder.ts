import { readdirSync, statSync, type Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { systemTimers } from '../timers.js';
import type { FolderFile } from './group-files.js';
import type { ScanOptions } from './scan-options.js';

/** A file or folder that could not be read. */
export interface UnreadablePath {
  /** Absolute path. A name that is not UTF-8 has `\xfc` for the byte FC, so each such name has its own text. */
  readonly path: string;
  /** The system's error code, `NAME_NOT_UTF8`, or `TOO_MANY_ENTRIES` for a folder that was read only in part. */
  readonly code: string;
}

/** The files below a folder. */
export interface FolderContents {
  /** `false`: the folder does not exist. */
  readonly found: boolean;
  /** Files by folder, both relative to the root with forward slashes. */
  readonly folders: readonly FilesOfFolder[];
  readonly unreadable: readonly UnreadablePath[];
}

export type FilesOfFolder = readonly [folder: string, files: readonly FolderFile[]];

interface Walk {
  readonly root: string;
  readonly unreadable: UnreadablePath[];
  readonly maxDepth: number;
  entriesLeft: number;
  readonly signal: AbortSignal | undefined;
  /** When other work last ran, in milliseconds of `systemTimers`. */
  sinceMs: number;
}

/** For so long, folders are read without a break. */
const WITHOUT_BREAK_MS = 5;

/**
 * Lists the files of a models folder. @throws the signal's reason
 *
 * Reads synchronously, with breaks, because the folders of a disk that answers take microseconds, and a promise for each takes
 * longer than that. A disk that may not answer is asked asynchronously first: that of the models folder, and that behind each
 * link.
 */
export async function walkModelsFolder(
  root: string,
  signal: AbortSignal | undefined,
  { maxDepth = 8, maxEntries = 100_000 }: Pick<ScanOptions, 'maxDepth' | 'maxEntries'> = {},
): Promise<FolderContents> {
  const unreadable: UnreadablePath[] = [];
  const found = await stat(root).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'ENOENT',
  );
  const sinceMs = systemTimers.nowMs();
  const walk: Walk = { root, unreadable, signal, maxDepth, entriesLeft: maxEntries, sinceMs };
  const folders = found ? await collect(walk, { relative: '', depth: 0, linkedFrom: [] }) : [];
  if (walk.entriesLeft < 0) unreadable.push({ path: root, code: 'TOO_MANY_ENTRIES' });
  return { found, folders, unreadable: unreadable.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** A folder below the root. */
interface WalkedFolder {
  /** Relative to the root with forward slashes. */
  readonly relative: string;
  readonly depth: number;
  /** The folders, without links in their paths, whose links lead here. */
  readonly linkedFrom: readonly string[];
}

async function collect(
  walk: Walk,
  { relative, depth, linkedFrom }: WalkedFolder,
): Promise<readonly FilesOfFolder[]> {
  const { root, unreadable, signal } = walk;
  if (systemTimers.nowMs() - walk.sinceMs > WITHOUT_BREAK_MS) {
    await nextTurn();
    walk.sinceMs = systemTimers.nowMs();
  }
  signal?.throwIfAborted();
  const folder = path.join(root, relative);
  let entries;
  try {
    // Reads names as bytes, because text would change a name that is not UTF-8.
    entries = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    unreadable.push({ path: folder, code: codeOf(error) });
    return [];
  }
  walk.entriesLeft -= entries.length;
  if (walk.entriesLeft < 0) return [];
  const files: FolderFile[] = [];
  const below = await Promise.all(
    entries.map(async (entry) => {
      const name = entry.name.toString('utf8');
      if (name.startsWith('.')) return [];
      if (!Buffer.from(name).equals(entry.name)) {
        if (entry.isDirectory() || /\.gguf$/i.test(name))
          unreadable.push({ path: path.join(folder, escaped(entry.name)), code: 'NAME_NOT_UTF8' });
        return [];
      }
      const child = relative === '' ? name : `${relative}/${name}`;
      const absolute = path.join(root, child);
      let target: Stats | null = null;
      try {
        // Model files are often links to another drive, so links are followed.
        if (entry.isSymbolicLink()) target = await stat(absolute);
        else if (entry.isFile()) target = statSync(absolute);
      } catch (error) {
        unreadable.push({ path: absolute, code: codeOf(error) });
      }
      if (target?.isFile() === true) files.push({ path: child, sizeBytes: target.size });
      if (depth + 1 >= walk.maxDepth) return [];
      const below = { relative: child, depth: depth + 1, linkedFrom };
      if (entry.isDirectory()) return collect(walk, below);
      if (target?.isDirectory() !== true) return [];
      const from = [...linkedFrom, await withoutLinks(folder)];
      return leadsBack(await withoutLinks(absolute), from)
        ? []
        : collect(walk, { ...below, linkedFrom: from });
    }),
  );
  return files.length > 0 ? [...below.flat(), [relative, files]] : below.flat();
}

/** A name with an escape for each byte outside printable ASCII, and for the backslash of an escape. */
function escaped(name: Buffer): string {
  return name
    .toString('latin1')
    .replace(/[^ -[\]-~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : 'UNKNOWN';
}

/** Whether a link leads to one of the folders or above it, so that its files are listed already. */
function leadsBack(target: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const inside = path.relative(target, folder);
    return inside !== '..' && !inside.startsWith(`..${path.sep}`) && !path.isAbsolute(inside);
  });
}

function withoutLinks(folder: string): Promise<string> {
  // A folder that was removed meanwhile keeps its path as it is.
  return realpath(folder).catch(() => folder);
}
