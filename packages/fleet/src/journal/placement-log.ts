import { appendFile, open, readFile, rename, stat } from 'node:fs/promises';
import { codeOf } from '../error-facts.js';
import { FleetError } from '../fleet-error.js';
import type { PlacedRequest, PlacementJournal } from './placed-request.js';

/** Size at which the log becomes the old log, and the old one is dropped. */
const LOG_MAX_BYTES = 8 * 1024 * 1024;
/** Maximum number of placements that wait for the disk. Further ones are dropped: a full disk must not take memory. */
const WAITING_MAX = 1000;

/** A journal in a file of JSON lines. */
export interface PlacementLog extends PlacementJournal, AsyncDisposable {
  /** The last placements, newest first; at most `RECENT_MAX`. */
  recent(): readonly PlacedRequest[];
}

/** Placements that are kept for `recent`. */
export const RECENT_MAX = 30;

/**
 * Opens the log. Lines are written in the background and in order.
 *
 * @param onFault - called with a failure to write, such as a full disk; not again until a write has succeeded
 * @param earlier - the last placements of the log, newest first
 */
export function openPlacementLog(
  file: string,
  onFault: (error: unknown) => void,
  earlier: readonly PlacedRequest[] = [],
): PlacementLog {
  let waiting: string[] = [];
  const recent = earlier.slice(0, RECENT_MAX);
  let writing: Promise<void> | null = null;
  let isFailing = false;

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const text = waiting.join('');
      waiting = [];
      const { size } = await stat(file).catch(() => ({ size: 0 }));
      if (size > LOG_MAX_BYTES) await rename(file, oldLogOf(file));
      // The log holds the names of models and hosts, but no prompts.
      await (await open(file, 'a', 0o600)).close();
      await appendFile(file, text);
      isFailing = false;
    }
  };
  const failed = (error: unknown): void => {
    if (!isFailing) onFault(error);
    isFailing = true;
  };
  return {
    recent: () => recent,
    record: (placed) => {
      recent.unshift(placed);
      if (recent.length > RECENT_MAX) recent.pop();
      if (waiting.length >= WAITING_MAX) return;
      waiting.push(`${JSON.stringify(placed)}\n`);
      writing ??= write()
        .catch(failed)
        .finally(() => (writing = null));
    },
    [Symbol.asyncDispose]: async () => {
      await writing;
    },
  };
}

/**
 * The last placements of a log, the newest first. Lines that are cut or of another version are left out.
 *
 * @throws FleetError `FILE_UNUSABLE` where the log cannot be read
 */
export async function readPlacements(
  file: string,
  { id = null, count = 1 }: { readonly id?: string | null; readonly count?: number } = {},
): Promise<readonly PlacedRequest[]> {
  const texts = await Promise.all([oldLogOf(file), file].map(readOrEmpty));
  const found: PlacedRequest[] = [];
  for (const line of texts.join('').split('\n').toReversed()) {
    if (found.length >= count) break;
    const placed = parse(line);
    if (placed !== null && (id === null || placed.id === id)) found.push(placed);
  }
  return found;
}

function oldLogOf(file: string): string {
  return `${file}.old`;
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new FleetError('FILE_UNUSABLE', `${file} cannot be read. Check its permissions.`, {
      cause: error,
    });
  }
}

function parse(line: string): PlacedRequest | null {
  try {
    const value: unknown = JSON.parse(line);
    return isPlaced(value) ? value : null;
  } catch {
    // A line cut off by a crash.
    return null;
  }
}

function isPlaced(value: unknown): value is PlacedRequest {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'placement' in value &&
    'attempts' in value
  );
}
