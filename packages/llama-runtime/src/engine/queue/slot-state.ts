import { accessSync, constants, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codeOf } from '../../process/process-identity.js';

/** LLAMA_STATE_SEQ_MAGIC and LLAMA_STATE_SEQ_VERSION of llama.h. */
const MAGIC = 0x67677371;
const VERSION = 2;
/**
 * A cache's part of a state: one stream, which has no cells (`llama_kv_cache::state_read` in llama-kv-cache.cpp). A model with
 * a sliding window has two caches; llama.cpp does not read the second part where there is one cache.
 */
const EMPTY_CACHES = [1, 0, 1, 0];

/** A memory file system of Linux: the tokens of a prompt never reach a disk. */
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
 * @returns null where the file can't be written
 */
export function writeSlotState(tokens: Int32Array): SlotState | null {
  const words = [MAGIC, VERSION, tokens.length, ...tokens, ...EMPTY_CACHES];
  try {
    const folder = mkdtempSync(path.join(parentFolder(), `mai-slot-${process.pid}-`));
    const file = path.join(folder, 'state');
    writeFileSync(file, Int32Array.from(words), { mode: 0o600 });
    let exists = true;
    const remove = (): void => {
      if (exists) rmSync(folder, { recursive: true, force: true });
      exists = false;
    };
    return { file, remove };
  } catch {
    // A full disk, or a folder for temporary files that is not writable: the prompt is computed anew.
    return null;
  }
}

/** Removes the states of engines that were killed before they could remove them. */
export function removeAbandonedStates(): void {
  try {
    const parent = parentFolder();
    for (const name of readdirSync(parent)) {
      const processId = Number(FOLDER_NAME.exec(name)?.[1]);
      if (processId > 0 && hasEnded(processId))
        rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  } catch {
    // The folder can't be read, or the states belong to another user.
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

function hasEnded(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}
