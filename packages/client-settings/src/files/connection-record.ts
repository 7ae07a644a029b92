import { createHash } from 'node:crypto';
import { ClientSettingsError } from '../client-settings-error.js';
import { isObject, type SettingPath, type Value } from '../formats/value.js';
import { readText } from './machine-files.js';

/** A setting that was written. */
export interface WrittenSetting {
  readonly path: SettingPath;
  readonly value: Value;
  /** The value before. Absent: there was none. */
  readonly before?: Value;
  /** How many parts of the path existed before. */
  readonly depth: number;
  readonly required?: true;
}

/** The change that `writeConnection` made to a file, so that it can be undone. */
export interface ConnectionRecord {
  readonly version: 1;
  readonly client: string;
  /** Whether the file existed before the first connection. */
  readonly existed: boolean;
  /** Hash of the text that was written. Null: somebody else had changed the file before the last write. */
  readonly writtenHash: string | null;
  readonly settings: readonly WrittenSetting[];
  /** Permissions of the file before its first API key took those of other users away. Null: they stayed. */
  readonly modeBefore: number | null;
}

/** Where the copy of the file before the first connection is. */
export function backupFile(file: string): string {
  return `${file}.mai-backup`;
}

/** Where the record is. */
export function recordFile(file: string): string {
  return `${file}.mai-backup.json`;
}

/** The record of a settings file. Null: the file was not written by this package. */
export async function readRecord(file: string): Promise<ConnectionRecord | null> {
  const text = await readText(recordFile(file));
  if (text === null) return null;
  const record = parseRecord(text);
  if (record !== null) return record;
  throw new ClientSettingsError(
    'FILE_INVALID',
    `${recordFile(file)} is damaged, so the change cannot be taken back. If ${backupFile(file)} exists, copy it over ${file}. Then delete ${recordFile(file)}.`,
  );
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parseRecord(text: string): ConnectionRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    // A record of an older version has no permissions.
    const record = isObject(value) ? { modeBefore: null, ...value } : null;
    return isRecord(record) ? record : null;
  } catch {
    // The caller reports a damaged record.
    return null;
  }
}

function isRecord(value: unknown): value is ConnectionRecord {
  if (!isObject(value)) return false;
  const { version, existed, writtenHash, settings, modeBefore } = value;
  return (
    version === 1 &&
    typeof existed === 'boolean' &&
    (writtenHash === null || typeof writtenHash === 'string') &&
    (modeBefore === null || typeof modeBefore === 'number') &&
    Array.isArray(settings) &&
    settings.every(
      (one: unknown) =>
        isObject(one) &&
        Array.isArray(one['path']) &&
        one['value'] !== undefined &&
        typeof one['depth'] === 'number',
    )
  );
}
