import { basename, dirname, sep } from 'node:path';
import {
  leftOutReason,
  type LeftOutModel,
  type UnreadablePath,
  type UnusableFile,
} from '@mai/lmstudio-adapter';
import { onOneLine } from '../words.js';
import type { DownloadsReport } from './downloads-report.js';

/** A sentence for each file and folder that a list of models leaves out, with the reason. */
export function leftOutNotes(report: DownloadsReport): readonly string[] {
  const { unusable, otherEntries } = report;
  return [
    ...unreachableNotes(report),
    ...unusable.map(unusableNote),
    ...otherEntries.map(otherEntryNote),
  ];
}

/** A sentence for each configured folder that does not exist. */
export function missingFolderNotes({
  missingFolder,
  missingModelFolders,
}: Pick<DownloadsReport, 'missingFolder' | 'missingModelFolders'>): readonly string[] {
  return [
    ...(missingFolder === null ? [] : [missingFolderNote(missingFolder)]),
    ...missingModelFolders.map(
      (folder) =>
        `The folder ${onOneLine(folder)} does not exist, so its models cannot be found. Mount its drive, or correct --models or model_folders.`,
    ),
  ];
}

/**
 * A sentence for each folder and file whose models cannot be found: it does not exist, or cannot be read. Where there is such a
 * sentence, no message says that a model is not downloaded, because it may be in that folder.
 */
export function unreachableNotes(
  report: Pick<DownloadsReport, 'missingFolder' | 'missingModelFolders' | 'unreadable'>,
): readonly string[] {
  return [...missingFolderNotes(report), ...report.unreadable.map(unreadableNote)];
}

/** A sentence for each folder that a model may be in although the list has no model of its name. */
export function notesOfUnlisted(
  downloads: Parameters<typeof unreachableNotes>[0] & { readonly models: readonly unknown[] },
): readonly string[] {
  return downloads.models.length === 0
    ? unreachableNotes(downloads)
    : missingFolderNotes(downloads);
}

/** The same sentences for clients on other machines: without the folders above, whose names may be those of a user. */
export function notesOfUnlistedForClients({
  models,
  missingFolder,
  missingModelFolders,
  unreadable,
}: Parameters<typeof notesOfUnlisted>[0]): readonly string[] {
  const last = (folder: string): string => JSON.stringify(basename(folder));
  return notesOfUnlisted({
    models,
    missingFolder: missingFolder === null ? null : last(missingFolder),
    missingModelFolders: missingModelFolders.map(last),
    unreadable: unreadable.map((one) => ({ ...one, path: last(one.path) })),
  });
}

function missingFolderNote(folder: string): string {
  return `LM Studio's models folder ${onOneLine(folder)} does not exist, so its models cannot be found. Mount its drive, or change the folder in LM Studio's settings.`;
}

/** Says why a file is not offered, and the next step. */
export function unusableNote({ path, code, why }: UnusableFile): string {
  const next = NEXT_STEPS.get(code);
  return `${onOneLine(path)} is not offered: ${onOneLine(why)}.${next === undefined ? '' : ` ${next}`}`;
}

/** The same file with its key as its name, and with no folder in its reason: both may name a folder of the user. */
export function withoutFolder(file: UnusableFile): UnusableFile {
  const folder = `${dirname(file.filePath)}${sep}`;
  return {
    ...file,
    path: file.modelKey ?? basename(file.filePath),
    why: file.why.replaceAll(folder, ''),
  };
}

/** By the code of the fault. */
const NEXT_STEPS: ReadonlyMap<string, string> = new Map([
  ['INCOMPLETE', 'Finish the download, or remove the file.'],
  ['CUT', 'Join the parts in their order into one .gguf file, then remove them.'],
  ['NO_FOLDER', 'Move it to a folder PUBLISHER/MODEL there.'],
  [
    'PROJECTOR_WIDTH',
    'Move the model to a folder of its own, with its own projector if it has one. The projector may belong to another model here.',
  ],
  [
    'LISTED_AS_LLM',
    'In LM Studio, open its settings under My Models, and set the override of its domain type to embedding.',
  ],
  ['NAMED_PROJECTOR', 'Give it a name without mmproj.'],
  ['CORRUPT', 'Download it again.'],
  ['FILE_UNREADABLE', 'Check its permissions.'],
]);

/** Says why an entry of LM Studio's list is not offered. */
export function otherEntryNote(entry: LeftOutModel): string {
  const name = entry.modelKey ?? 'An entry of LM Studio’s list';
  return `${onOneLine(name)} is not offered: ${onOneLine(leftOutReason(entry))}.`;
}

/** Says why a path could not be read, and the next step. */
export function unreadableNote({ path: name, code }: UnreadablePath): string {
  const path = onOneLine(name);
  switch (code) {
    case 'NAME_NOT_UTF8':
      return `${path} cannot be read: its name is not UTF-8. Rename it.`;
    case 'TOO_MANY_ENTRIES':
      return `${path} has so many files and folders that only a part was read. Move its models to a folder of their own.`;
    case 'ENOENT':
      return `${path} is a link to something that does not exist. Check that its drive is mounted.`;
    case 'ELOOP':
      return `${path} is a link that leads back to itself. Remove it.`;
    case 'ENOTDIR':
      return `${path} is a file, not a folder. Name the folder that contains it.`;
    case 'EACCES':
    case 'EPERM':
      return `${path} cannot be read (${code}). Check its permissions.`;
    default:
      return `${path} cannot be read (${code}). Check its drive.`;
  }
}
