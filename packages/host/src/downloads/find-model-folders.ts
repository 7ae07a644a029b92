import { findRunning } from '@mai/autopilot';
import { isModelConfigError } from '@mai/model-config';
import { loadConfig } from '../config/load-config.js';
import { readNote } from '../control/wire/endpoint.js';
import { errorCodeOf } from '../guards.js';
import type { HostContext } from '../host-options.js';
import { embeddedAutopilotFiles } from '../runtime/autopilot-files.js';

/**
 * The folders with GGUF files for the embedded engine: those of the host's options, those with which the running autopilot was
 * opened, and those of the configuration.
 */
export async function findModelFolders(context: HostContext): Promise<readonly string[]> {
  const [running, configured] = await Promise.all([
    foldersOfAutopilot(context),
    configuredFolders(context),
  ]);
  return [...context.modelFolders, ...running, ...configured];
}

/** A configuration with faults names none; whoever needs it reports its faults. */
async function configuredFolders(context: HostContext): Promise<readonly string[]> {
  try {
    return (await loadConfig(context)).config.modelFolders;
  } catch (error) {
    if (!isModelConfigError(error)) throw error;
    return [];
  }
}

/** So a command in another terminal lists and loads the models of `mai serve --models FOLDER`. */
async function foldersOfAutopilot(context: HostContext): Promise<readonly string[]> {
  try {
    const { control, folder, address } = embeddedAutopilotFiles(context);
    const note = await readNote(control);
    if (note === null) return [];
    const running = await findRunning(folder, address, context.clock);
    // A killed process leaves its note, and its number may be given to another process.
    return note.processId === running?.processId ? note.modelFolders : [];
  } catch (error) {
    // A note that cannot be read is reported where a command connects to the autopilot.
    if (errorCodeOf(error) === null) throw error;
    return [];
  }
}
