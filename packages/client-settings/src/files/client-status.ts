import { isClientSettingsError } from '../client-settings-error.js';
import type { Client, Machine } from '../clients/client.js';
import type { GatewayAccess } from '../gateway-access.js';
import { parseSettings } from '../formats/edit-settings.js';
import { type Value, valueAt, withValueAt } from '../formats/value.js';
import { exists, isOnPath, readText } from './machine-files.js';
import { fileOf } from './settings-place.js';

/** Whether a client uses the gateway, as far as its settings file says. */
export type ConnectionState =
  /** The file names the address of the gateway. */
  | 'connected'
  /** The file names another address. */
  | 'elsewhere'
  | 'not connected'
  /** The file cannot be read. */
  | 'unreadable'
  /** The client has no settings file that can be read. */
  | 'unknown';

/** A client on a machine. */
export interface ClientStatus {
  readonly client: Client;
  /** Whether the client, or a trace of it, is on this machine. */
  readonly found: boolean;
  /** The settings file. Null: the client has none that can be written. */
  readonly file: string | null;
  readonly state: ConnectionState;
  /** The address in the file. Null: the file has no address, or it is not known. */
  readonly address: string | null;
}

/** Whether a client is on a machine, and whether it is connected. Never rejects because of a settings file. */
export async function statusOf(
  client: Client,
  access: GatewayAccess,
  machine: Machine,
): Promise<ClientStatus> {
  const traces = [
    ...client.traces(machine).map(exists),
    ...client.programs.map((program) => isOnPath(machine, program)),
  ];
  const found = (await Promise.all(traces)).includes(true);
  if (client.file === null) return { client, found, file: null, state: 'unknown', address: null };
  const file = await fileOf(client.file, machine);
  return { client, found, file, ...(await connectionIn(client.file, file, access)) };
}

async function connectionIn(
  settings: NonNullable<Client['file']>,
  file: string,
  access: GatewayAccess,
): Promise<Pick<ClientStatus, 'state' | 'address'>> {
  try {
    const content = parseSettings(settings.format, (await readText(file)) ?? '', file);
    const address = valueAt(content, settings.address);
    if (typeof address !== 'string') return { state: 'not connected', address: null };
    const wanted = settings
      .settings(access)
      .reduce<Value>((all, { path, value }) => withValueAt(all, path, value) ?? {}, {});
    return {
      state: valueAt(wanted, settings.address) === address ? 'connected' : 'elsewhere',
      address,
    };
  } catch (error) {
    if (!isClientSettingsError(error)) throw error;
    return { state: 'unreadable', address: null };
  }
}
