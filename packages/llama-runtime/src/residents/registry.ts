import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { LoadConfig } from '@mai/memory-ledger';
import type { LocalModel } from '../models/model-types.js';
import type { EngineEndpoint } from '../process/engine-http.js';
import type { EngineFacts, EngineSpec } from '../process/messages.js';
import { isAnother, signalTo } from '../process/end-foreign.js';
import { codeOf, findProcess, type RunningProcess } from '../process/system/process-identity.js';
import { replaceFile } from '../process/replace-file.js';

/** An engine's process and the process that has started it. */
export interface EngineProcesses {
  readonly pid: number;
  /** The start time that `findProcess` found before the load; `null`: not known. */
  readonly startTime: string | null;
  /** The process that loads the model. */
  readonly parent: {
    readonly pid: number;
    /** As above. */
    readonly startTime: string | null;
  };
}

/** A loaded model and its process. Every Mai process of this user can read it and end the engine. */
export interface EngineRecord extends EngineProcesses {
  readonly version: typeof RECORD_VERSION;
  /** Names this copy. No other copy gets this name. */
  readonly reference: string;
  readonly endpoint: EngineEndpoint;
  readonly loadedAtMs: number;
  readonly engine: { readonly name: string; readonly version: string };
  readonly spec: Omit<EngineSpec, 'token'>;
  /** The configuration that the model runs with. */
  readonly loadConfig: LoadConfig;
  /** Whether the weights are locked in memory. */
  readonly keepModelInMemory: boolean;
  readonly ttlMs: number | null;
  readonly model: Pick<LocalModel, 'displayName' | 'path' | 'sizeBytes' | 'maxContextLengthTokens'>;
  readonly facts: EngineFacts;
}

/** Increased when a field changes its meaning, or the engine's HTTP changes. Records of other versions are left alone. */
export const RECORD_VERSION = 3;

/** Stands in place of the version until the model is loaded. Then `writeRecord` replaces the record. */
const LOADING = 'loading';

const FILE_NAME = /^(\d+)\.json$/;

/** Writes the record of an engine. The file contains the engine's token, so only this user can read it. */
export async function writeRecord(folder: string, record: EngineRecord): Promise<void> {
  await write(folder, record);
}

interface LoadingRecord extends EngineProcesses {
  readonly version: typeof LOADING;
}

/** Writes the record of an engine that begins to load, so that it is found where its parent ends before the load does. */
export async function writeLoading(folder: string, processes: EngineProcesses): Promise<void> {
  await write(folder, { version: LOADING, ...processes });
}

async function write(folder: string, record: EngineRecord | LoadingRecord): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(fileOf(folder, record.pid), JSON.stringify(record));
}

/**
 * Removes the record of an engine that is gone. A file that cannot be removed stays, for example on a disk that has become
 * read-only: its process is gone, so it is no resident.
 */
export async function removeRecord(folder: string, pid: number): Promise<void> {
  try {
    await rm(fileOf(folder, pid), { force: true });
  } catch (error) {
    if (codeOf(error) === null) throw error;
  }
}

/**
 * The records of the engines that run and have loaded their model. Removes the records of engines that are gone. Kills an
 * engine whose parent is gone, also one that still loads: it ends by itself, but not while it is stopped (SIGSTOP), and would
 * keep its memory.
 */
export async function readRecords(folder: string): Promise<readonly EngineRecord[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  const records = await Promise.all(
    names.map(async (name) => {
      const pid = Number(FILE_NAME.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isSafeInteger(pid)) return [];
      const [record, found] = await Promise.all([readRecord(folder, pid), findProcess(pid)]);
      const isOfAnother = found !== null && record !== null && isAnother(found, record.startTime);
      const isOrphan = found !== null && record !== null && (await hasLostParent(found, record));
      if (isOrphan) signalTo(pid, 'SIGKILL');
      else if (found !== null && !isOfAnother) return isLoaded(record) ? record : [];
      await removeRecord(folder, pid);
      return [];
    }),
  );
  return records.flat();
}

/** Whether the parent of an engine is gone. False where the process may be another one with the engine's number. */
async function hasLostParent(
  found: RunningProcess,
  { startTime, parent }: EngineProcesses,
): Promise<boolean> {
  if (startTime === null || found.startTime !== startTime) return false;
  const ofParent = await findProcess(parent.pid);
  return ofParent === null || isAnother(ofParent, parent.startTime);
}

/** `null`: the file has just been removed, is damaged or another user's, or was written by another version. */
async function readRecord(
  folder: string,
  pid: number,
): Promise<EngineRecord | LoadingRecord | null> {
  try {
    const record: unknown = JSON.parse(await readFile(fileOf(folder, pid), 'utf8'));
    return isRecord(record) && record.pid === pid ? record : null;
  } catch (error) {
    if (error instanceof SyntaxError || UNREADABLE.has(codeOf(error))) return null;
    throw error;
  }
}

/** Without rights to it, a record belongs to another user, for example to root after `sudo mai serve`. */
const UNREADABLE: ReadonlySet<string | null> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR']);

/** The version says that all fields are there, because only this file writes these files. */
function isRecord(value: unknown): value is EngineRecord | LoadingRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    (value.version === RECORD_VERSION || value.version === LOADING)
  );
}

function isLoaded(record: EngineRecord | LoadingRecord | null): record is EngineRecord {
  return record?.version === RECORD_VERSION;
}

function fileOf(folder: string, pid: number): string {
  return path.join(folder, `${pid}.json`);
}
