import {
  accessSync,
  constants,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAlive } from '../../process/system/process-identity.js';

/** LLAMA_STATE_SEQ_MAGIC and LLAMA_STATE_SEQ_VERSION of llama.h. */
const MAGIC = 0x67677371;
const VERSION = 2;
/**
 * A cache's part of a state: one stream, which has no cells (`llama_kv_cache::state_read` in llama-kv-cache.cpp). A model with
 * a sliding window has two caches; llama.cpp does not read the second part where there is one cache.
 */
const EMPTY_CACHES = [1, 0, 1, 0];

/** A memory file system of Linux: where it is writable, the tokens of a prompt are not written to a disk. */
const MEMORY_FOLDER = '/dev/shm';
/** The folder of a state has the number of its process in its name. */
const FOLDER_NAME = /^mai-slot-(\d+)-/;

/** A state file for one request. */
export interface SlotState {
  readonly file: string;
  /** Removes the file. Further calls do nothing. */
  remove(): void;
}

/**
 * Writes a state of a sequence with tokens and without cells. It is readable by this user only.
 *
 * @returns null where the file cannot be written
 */
export function writeSlotState(tokens: Int32Array): SlotState | null {
  const words = [MAGIC, VERSION, tokens.length, ...tokens, ...EMPTY_CACHES];
  let folder: string | null = null;
  try {
    folder = mkdtempSync(path.join(parentFolder(), `mai-slot-${process.pid}-`));
    const file = path.join(folder, 'state');
    writeFileSync(file, Int32Array.from(words), { mode: 0o600 });
    return { file, remove: once(folder) };
  } catch {
    // A full disk, or a folder for temporary files that is not writable: the prompt is computed anew.
    if (folder !== null) removeFolder(folder);
    return null;
  }
}

function once(folder: string): () => void {
  let isRemoved = false;
  return () => {
    if (!isRemoved) removeFolder(folder);
    isRemoved = true;
  };
}

/** Windows refuses it while another program reads the file. The next engine then removes what is left. */
function removeFolder(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // A failure must not end the request that the state belonged to.
  }
}

/** Removes the states of this user's engines that were killed before they could remove them. */
export function removeAbandonedStates(): void {
  const parent = parentFolder();
  for (const name of namesIn(parent)) {
    const processId = Number(FOLDER_NAME.exec(name)?.[1]);
    const folder = path.join(parent, name);
    if (processId > 0 && !isAlive(processId) && isOwn(folder)) removeFolder(folder);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The folder cannot be read, so nothing in it can be removed.
    return [];
  }
}

/** Whether a folder belongs to this user. Windows has a folder for temporary files of each user. */
function isOwn(folder: string): boolean {
  try {
    const uid = process.getuid?.();
    return uid === undefined || lstatSync(folder).uid === uid;
  } catch {
    // Another engine has just removed it.
    return false;
  }
}

function parentFolder(): string {
  if (process.platform !== 'linux') return tmpdir();
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK);
    return MEMORY_FOLDER;
  } catch {
    return tmpdir();
  }
}
