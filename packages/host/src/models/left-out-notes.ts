import type { LeftOutModel, UnreadablePath, UnusableFile } from '@mai/lmstudio-adapter';
import type { DownloadsReport } from './downloads.js';

/** A sentence for each file and folder that a list of models leaves out, with the reason. */
export function leftOutNotes(report: DownloadsReport): readonly string[] {
  const { missingFolder, unusable, unreadable, otherEntries } = report;
  return [
    ...(missingFolder === null ? [] : [missingFolderNote(missingFolder)]),
    ...unusable.map(unusableNote),
    ...unreadable.map(unreadableNote),
    ...otherEntries.map(otherEntryNote),
  ];
}

/** Says that the configured models folder does not exist. */
export function missingFolderNote(folder: string): string {
  return `LM Studio's models folder ${folder} does not exist, so its models can't be found. Mount its drive, or change the folder in LM Studio's settings.`;
}

/** Says why a file is not offered. */
export function unusableNote({ path, code, why }: UnusableFile): string {
  const next = code === 'INCOMPLETE' ? ' Finish or remove the download in LM Studio.' : '';
  return `${path} is not offered: ${why}.${next}`;
}

/** Says why an entry of LM Studio's list is not offered. */
export function otherEntryNote({ modelKey, type, reason }: LeftOutModel): string {
  const entry = modelKey ?? 'An entry of LM Studio’s list';
  return reason === 'unreadable'
    ? `${entry} is not offered: LM Studio lists it without its facts.`
    : `${entry} is not offered: its kind is ${type ?? 'unknown'}, which is not a language model.`;
}

/** Says why a path could not be read, and the next step. */
export function unreadableNote({ path, code }: UnreadablePath): string {
  if (code === 'NAME_NOT_UTF8')
    return `${path} can't be read: its name is not UTF-8, so LM Studio can't name it. Rename it.`;
  return code === 'ENOENT'
    ? `${path} is a link to a file that does not exist. Check that its drive is mounted.`
    : `${path} can't be read (${code}). Check its permissions.`;
}
