import { ClientSettingsError } from '../client-settings-error.js';
import type { Client, Machine, SettingsFile } from '../clients/client.js';
import { exists } from './machine-files.js';

/** A client that has a settings file, and where the file is on a machine. */
export interface SettingsPlace {
  readonly settings: SettingsFile;
  readonly file: string;
}

/**
 * Where a client's settings file is, or would be.
 *
 * @throws ClientSettingsError `NO_SETTINGS_FILE`
 */
export async function placeOf(client: Client, machine: Machine): Promise<SettingsPlace> {
  const settings = client.file;
  if (settings === null) {
    throw new ClientSettingsError(
      'NO_SETTINGS_FILE',
      `${client.title} has no settings file that another program may write. \`mai connect ${client.name}\` prints what to enter.`,
    );
  }
  return { settings, file: await fileOf(settings, machine) };
}

/** The first place of a settings file that exists, else the last. */
export async function fileOf(settings: SettingsFile, machine: Machine): Promise<string> {
  const places = settings.places(machine);
  for (const place of places) if (await exists(place)) return place;
  return places.at(-1) ?? '';
}
