import { readFile } from 'node:fs/promises';
import type { Clock } from '../ports/clock.js';
import { AutopilotError, errorCode } from '../autopilot-error.js';
import { writeFileAtomically } from './atomic-file.js';
import type { JournalPort } from './journal-port.js';
import { EMPTY_JOURNAL, parseJournal, type JournalState } from './journal-state.js';
import { hostLiveness, journalUnusable, newOwner, tryLock, unlock } from './process-lock.js';

/** A change takes milliseconds. A writer that holds the lock for longer than this has died. */
const WRITER_STALE_MS = 5000;
const WRITER_RETRY_MS = 20;
/** A call gives up when another writer holds the lock for this long. While holders change, the call waits. */
const WRITER_TIMEOUT_MS = 2000;

/**
 * A journal in a file. Several processes may change it at the same time, and no change is lost. A file that
 * does not exist is an empty journal.
 *
 * @throws AutopilotError `JOURNAL_UNUSABLE` from every call when the file cannot be read or written, or is
 *   not a journal. The file is left as it is.
 */
export function createFileJournal(file: string, clock: Clock): JournalPort {
  const read = async (): Promise<JournalState> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return EMPTY_JOURNAL;
      throw journalUnusable(file, error);
    }
    const state = parseJournal(text);
    if (state === null) {
      throw new AutopilotError(
        'JOURNAL_UNUSABLE',
        `${file} is not a journal of this version of Mai. Move the file away to start with an empty journal.`,
        { path: file },
      );
    }
    return state;
  };
  return {
    read,
    update: async (change, { signal = null }: { readonly signal?: AbortSignal | null }) => {
      const release = await lockForWriting(file, clock, signal);
      try {
        const state = change(await read());
        try {
          await writeFileAtomically(file, `${JSON.stringify(state, null, 2)}\n`);
        } catch (error) {
          throw journalUnusable(file, error);
        }
        return state;
      } finally {
        await release();
      }
    },
  };
}

async function lockForWriting(
  file: string,
  clock: Clock,
  signal: AbortSignal | null,
): Promise<() => Promise<void>> {
  const lockFile = `${file}.lock`;
  let waitsFor: string | null = null;
  let sinceMs = 0;
  for (;;) {
    const owner = newOwner(clock.nowMs());
    const holder = await tryLock(lockFile, owner, clock.nowMs(), hostLiveness(WRITER_STALE_MS));
    if (holder === null) return () => unlock(lockFile, owner);
    if (holder.token !== waitsFor) {
      waitsFor = holder.token;
      sinceMs = clock.monotonicMs();
    }
    if (clock.monotonicMs() - sinceMs > WRITER_TIMEOUT_MS) {
      throw new AutopilotError(
        'JOURNAL_UNUSABLE',
        `${lockFile} is held by process ${holder.processId} on ${holder.hostname}. Delete the file when that process is gone.`,
        { path: lockFile, processId: holder.processId, runningSinceMs: holder.sinceMs },
      );
    }
    await clock.sleep(WRITER_RETRY_MS, { signal });
  }
}
