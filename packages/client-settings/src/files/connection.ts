import { ClientSettingsError } from '../client-settings-error.js';
import type { Client, Machine, Setting } from '../clients/client.js';
import type { GatewayAccess } from '../gateway-access.js';
import { editSettings, parseSettings } from '../formats/edit-settings.js';
import {
  containsText,
  existingDepth,
  sameValue,
  type SettingPath,
  type Value,
  valueAt,
} from '../formats/value.js';
import {
  backupFile,
  type ConnectionRecord,
  hashOf,
  readRecord,
  recordFile,
  type WrittenSetting,
} from './connection-record.js';
import {
  checkUnchanged,
  checkWritable,
  createText,
  exists,
  modeOf,
  ownerOnly,
  readText,
  removeFile,
  replaceText,
  restrictToOwner,
} from './machine-files.js';
import { placeOf } from './settings-place.js';

/** The change that `writeConnection` would make. */
export interface ConnectionPlan {
  readonly client: Client;
  readonly file: string;
  /** Where the copy of the present file goes. Null: there is no file, or a copy exists already. */
  readonly backup: string | null;
  /** Text of the file. Null: the file does not exist. */
  readonly before: string | null;
  /** Text that would be written. Equal to `before` where the client is connected already. */
  readonly after: string;
  /**
   * Whether the write takes the permissions of the file from everybody but its owner, because the file gets an API key that
   * others could read. False on Windows: a file there has the access list of its folder.
   */
  readonly restricts: boolean;
  readonly record: ConnectionRecord;
}

/**
 * Works out how a client's settings file changes. Comments and other settings stay as they are. Writes nothing.
 *
 * @throws ClientSettingsError
 */
export async function planConnection(
  client: Client,
  access: GatewayAccess,
  machine: Machine,
): Promise<ConnectionPlan> {
  const { settings: place, file } = await placeOf(client, machine);
  const before = await readText(file);
  const hidden = place.hides?.(machine);
  if (before === null && hidden !== undefined && (await exists(hidden))) {
    throw new ClientSettingsError(
      'HIDES_SETTINGS',
      `${client.title} would no longer read ${hidden} if ${file} existed. Move your settings to ${file} first, then run the command again.`,
    );
  }
  await checkWritable(file);
  const content = parseSettings(place.format, before ?? '', file);
  const settings = place
    .settings(access)
    .filter(({ path, required }) => required !== true || valueAt(content, path) === undefined);
  const changes = settings.filter(({ path, value }) => !sameValue(valueAt(content, path), value));
  const after =
    changes.length === 0 && before !== null
      ? before
      : editSettings(place.format, before ?? '', changes, file);
  const old = await readRecord(file);
  const mode = await modeOf(file);
  const restricts =
    machine.platform !== 'win32' &&
    mode !== null &&
    mode !== ownerOnly(mode) &&
    settings.some(({ value }) => access.apiKey !== null && containsText(value, access.apiKey));
  return {
    client,
    file,
    backup: old === null && before !== null ? backupFile(file) : null,
    before,
    after,
    restricts,
    record: {
      ...recordOf(client, settings, content, before, after, old),
      modeBefore: old?.modeBefore ?? (restricts ? mode : null),
    },
  };
}

/**
 * Writes a plan: the copy of the file, the record for `undo`, then the file. If the text stays as it is, only the permissions
 * of the file change, where the plan restricts them. If the file cannot be written, the copy and the record become what they
 * were before.
 *
 * @throws ClientSettingsError `FILE_CHANGED`, `FILE_UNUSABLE`
 */
export async function writeConnection(plan: ConnectionPlan): Promise<void> {
  const { file, backup, before, after, restricts } = plan;
  if (before === after) {
    if (!restricts) return;
    // Without a record, `undo` has nothing to take back.
    if ((await readText(recordFile(file))) !== null) await writeRecord(plan);
    await restrictToOwner(file);
    return;
  }
  await checkUnchanged(file, before);
  const oldRecord = await readText(recordFile(file));
  if (backup !== null && before !== null) await createText(backup, before);
  try {
    await writeRecord(plan);
    await replaceText(file, after, restricts ? ownerOnly : undefined);
  } catch (error) {
    // If this fails, too, the first error is thrown, because it says more. The record then names settings that the file does not
    // have, and `undo` leaves the file as it is.
    await restoreRecord(file, oldRecord, backup).catch(() => undefined);
    throw error;
  }
}

function writeRecord({ file, record }: ConnectionPlan): Promise<void> {
  return replaceText(recordFile(file), `${JSON.stringify(record, null, 2)}\n`);
}

/** Gives the record its old text, and removes a copy that is new. */
async function restoreRecord(
  file: string,
  oldRecord: string | null,
  backup: string | null,
): Promise<void> {
  if (oldRecord === null) await removeFile(recordFile(file));
  else await replaceText(recordFile(file), oldRecord);
  if (backup !== null) await removeFile(backup);
}

function recordOf(
  client: Client,
  settings: readonly Setting[],
  content: Value,
  before: string | null,
  after: string,
  old: ConnectionRecord | null,
): Omit<ConnectionRecord, 'modeBefore'> {
  const written = settings.map((setting): WrittenSetting => {
    const present = valueAt(content, setting.path);
    const earlier = settingAt(old, setting.path);
    // The value before the first connection, unless somebody else has changed the setting since.
    if (earlier !== undefined && sameValue(present, earlier.value)) {
      return { ...earlier, value: setting.value };
    }
    const depth = existingDepth(content, setting.path);
    return { ...setting, ...(present === undefined ? {} : { before: present }), depth };
  });
  const others = (old?.settings ?? []).filter(
    ({ path }) => !written.some((setting) => sameValue(path, setting.path)),
  );
  const untouched = old === null || (before !== null && hashOf(before) === old.writtenHash);
  return {
    version: 1,
    client: client.name,
    existed: old?.existed ?? before !== null,
    writtenHash: untouched ? hashOf(after) : null,
    settings: [...others, ...written],
  };
}

function settingAt(record: ConnectionRecord | null, path: SettingPath): WrittenSetting | undefined {
  return record?.settings.find((setting) => sameValue(setting.path, path));
}
