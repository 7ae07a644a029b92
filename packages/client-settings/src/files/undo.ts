import type { Client, Machine, SettingsFile } from '../clients/client.js';
import { editSettings, parseSettings } from '../formats/edit-settings.js';
import {
  isObject,
  pathText,
  sameValue,
  type SettingPath,
  valueAt,
  withValueAt,
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
  ownerOnly,
  readText,
  removeFile,
  replaceText,
} from './machine-files.js';
import { placeOf } from './settings-place.js';

/** The change that `writeUndo` would make. */
export interface UndoPlan {
  readonly client: Client;
  readonly file: string;
  /** Whether this package wrote the file. If not, nothing is undone. */
  readonly connected: boolean;
  /** Whether somebody else changed the file after it was written. Then only our settings are removed. */
  readonly changedSince: boolean;
  /** Text of the file. Null: the file does not exist. */
  readonly before: string | null;
  /** Text that would be written. Null: the file would be removed. */
  readonly after: string | null;
  /** Permissions that the file gets back, because its API key is gone with the restored text. Null: they stay. */
  readonly modeAfter: number | null;
  /** Our settings that somebody else changed. They stay. */
  readonly left: readonly string[];
}

/**
 * Works out how a connection is taken back. An unchanged file becomes what it was, byte for byte. In a changed file our
 * settings get the values from before, or are removed. Writes nothing.
 *
 * @throws ClientSettingsError
 */
export async function planUndo(client: Client, machine: Machine): Promise<UndoPlan> {
  const { settings, file } = await placeOf(client, machine);
  const record = await readRecord(file);
  const before = await readText(file);
  const plan = {
    client,
    file,
    connected: record !== null,
    changedSince: false,
    before,
    modeAfter: null,
    left: [],
  };
  if (record === null || before === null) return { ...plan, after: before };
  await checkWritable(file);
  const original = record.existed ? await readText(backupFile(file)) : null;
  const exact = hashOf(before) === record.writtenHash && (original !== null || !record.existed);
  if (exact) return { ...plan, after: original, modeAfter: record.modeBefore };
  return { ...plan, changedSince: true, ...withoutOurs(settings, before, record, file) };
}

/**
 * Writes a plan, then removes the copy of the file and the record.
 *
 * @throws ClientSettingsError `FILE_CHANGED`, `FILE_UNUSABLE`
 */
export async function writeUndo(plan: UndoPlan): Promise<void> {
  if (!plan.connected) return;
  await checkUnchanged(plan.file, plan.before);
  const { file, before, after, modeAfter } = plan;
  if (after === null) await removeFile(file);
  else if (after !== before) {
    // Permissions that somebody has set since stay.
    await replaceText(file, after, (mode) =>
      modeAfter !== null && mode === ownerOnly(modeAfter) ? modeAfter : mode,
    );
  }
  await removeFile(recordFile(file));
  await removeFile(backupFile(file));
}

function withoutOurs(
  { format }: SettingsFile,
  text: string,
  record: ConnectionRecord,
  file: string,
): { after: string | null; left: readonly string[] } {
  const left: string[] = [];
  let after = text;
  for (const setting of [...record.settings].reverse()) {
    const content = parseSettings(format, after, file);
    const present = valueAt(content, setting.path);
    if (setting.required === true || present === undefined) continue;
    if (!sameValue(present, setting.value)) {
      left.push(pathText(setting.path));
      continue;
    }
    const path = setting.before === undefined ? removalPath(content, setting) : setting.path;
    after = editSettings(format, after, [{ path, value: setting.before }], file);
  }
  return { after: record.existed || !isEmpty(format, after, file) ? after : null, left };
}

/** The path to remove: the setting, with the objects around it that we created and that would be empty. */
function removalPath(
  content: Parameters<typeof valueAt>[0],
  { path, depth }: WrittenSetting,
): SettingPath {
  let removed = path;
  while (removed.length > Math.max(depth, 0) + 1) {
    const parent = removed.slice(0, -1);
    const rest = valueAt(withValueAt(content, removed, undefined), parent);
    const empty = isObject(rest)
      ? Object.keys(rest).length === 0
      : Array.isArray(rest) && rest.length === 0;
    if (!empty) break;
    removed = parent;
  }
  return removed;
}

function isEmpty(format: SettingsFile['format'], text: string, file: string): boolean {
  const content = parseSettings(format, text, file);
  return isObject(content) && Object.keys(content).length === 0;
}
