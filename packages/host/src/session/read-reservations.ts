import { createFileJournal, holdingYields, isAutopilotError, type Yield } from '@mai/autopilot';
import type { Session } from './session.js';
import { autopilotFilesOf, findAutopilotFiles } from '../runtime/autopilot-files.js';

/** The pins and yields that a decision must respect. */
export interface Reservations {
  /** Instance identifiers and model keys that are never unloaded, of the configuration and of the journal. */
  readonly pinned: readonly string[];
  /** The yields of the journal that have not ended. */
  readonly yields: readonly Yield[];
}

/** Reads the pins and yields. @throws AutopilotError `JOURNAL_UNUSABLE` */
export async function readReservations({
  context,
  link,
  config,
  parts,
}: Session): Promise<Reservations> {
  const { journal: file } =
    link.kind === 'off'
      ? await findAutopilotFiles(parts.runtime, context)
      : autopilotFilesOf(context, link);
  const journal = await createFileJournal(file, context.clock).read({ signal: context.signal });
  return {
    pinned: [...config.config.pins, ...journal.pins.map(({ target }) => target)],
    yields: holdingYields(journal.yields, context.clock.nowMs()),
  };
}

/**
 * As `readReservations`, for calls that load and unload nothing. If the journal cannot be used, warns and leaves out
 * the journal's pins and yields.
 */
export async function readReservationsOrWarn(session: Session): Promise<Reservations> {
  try {
    return await readReservations(session);
  } catch (error) {
    if (!isAutopilotError(error)) throw error;
    session.context.warn(`The pins and yields are not known. ${error.message}`);
    return { pinned: session.config.config.pins, yields: [] };
  }
}
