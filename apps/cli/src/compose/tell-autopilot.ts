import type { JournalState } from '@mai/autopilot';
import { createFileJournal, findRunning, systemClock } from '@mai/autopilot';
import type { CommandContext } from '../context.js';
import type { AutopilotFiles } from './autopilot-files.js';

/** Who has taken note of a change to the journal. */
export type Delivery =
  /** The running `mai watch` acts upon it from now on. */
  | { readonly kind: 'seen'; readonly processId: number }
  /** It runs, and has not come to it yet: it is in the middle of a switch, or LM Studio is away. */
  | { readonly kind: 'waiting'; readonly processId: number }
  /** No `mai watch` runs; the next one reads it at its start. */
  | { readonly kind: 'nobody' };

/** The journal after a change, and who has seen it. `delivery` is null where nothing had to change. */
export interface Told {
  readonly journal: JournalState;
  readonly delivery: Delivery | null;
}

const ANSWER_WITHIN_MS = 2000;
const ASK_EVERY_MS = 50;

/** What the journal says now. */
export function readJournal(
  files: AutopilotFiles,
  { signal }: CommandContext,
): Promise<JournalState> {
  return createFileJournal(files.journal, systemClock).read({ signal });
}

/**
 * Changes the journal and waits for the running autopilot to say that it has read the change.
 * `change` returns the state that it was given where there is nothing to change.
 * @throws AutopilotError `JOURNAL_UNUSABLE`
 */
export async function tellAutopilot(
  context: CommandContext,
  files: AutopilotFiles,
  change: (journal: JournalState) => JournalState,
): Promise<Told> {
  const { signal } = context;
  const journal = createFileJournal(files.journal, systemClock);
  const before = await journal.read({ signal });
  if (change(before) === before) return { journal: before, delivery: null };
  const written = await journal.update(
    (latest) => {
      const changed = change(latest);
      return changed === latest ? latest : { ...changed, revision: latest.revision + 1 };
    },
    { signal },
  );
  return { journal: written, delivery: await deliver(context, files, written.revision) };
}

async function deliver(
  { io, signal }: CommandContext,
  files: AutopilotFiles,
  revision: number,
): Promise<Delivery> {
  const journal = createFileJournal(files.journal, systemClock);
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const running = await findRunning(files.folder, files.address, systemClock);
    if (running === null) return { kind: 'nobody' };
    const { acknowledged } = await journal.read({ signal });
    if (acknowledged !== null && acknowledged.revision >= revision) {
      return { kind: 'seen', processId: acknowledged.processId };
    }
    if (systemClock.monotonicMs() - startedMs >= ANSWER_WITHIN_MS) {
      return { kind: 'waiting', processId: running.processId };
    }
    await io.sleep(ASK_EVERY_MS, signal);
  }
}
