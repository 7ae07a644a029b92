import { createFileJournal, isAutopilotError } from '@mai/autopilot';
import type { Session } from '../session.js';
import { autopilotFilesOf } from './autopilot-files.js';

/**
 * Instance identifiers and model keys that are never unloaded: the pins of the configuration and of the journal.
 * While the runtime is off, no model is loaded, so the journal is not read.
 *
 * @throws AutopilotError `JOURNAL_UNUSABLE`
 */
export async function readPins({ context, link, config }: Session): Promise<readonly string[]> {
  const { pins } = config.config;
  if (link.kind === 'off') return pins;
  const { journal: file } = autopilotFilesOf(context, link);
  const journal = await createFileJournal(file, context.clock).read({ signal: context.signal });
  return [...pins, ...journal.pins.map(({ target }) => target)];
}

/** As `readPins`, for calls that unload nothing: a journal that can't be used is a warning, and its pins are left out. */
export async function readPinsOrWarn(session: Session): Promise<readonly string[]> {
  try {
    return await readPins(session);
  } catch (error) {
    if (!isAutopilotError(error)) throw error;
    session.context.warn(`The pins are not known. ${error.message}`);
    return session.config.config.pins;
  }
}
