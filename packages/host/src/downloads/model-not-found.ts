import { LMStudioError } from '@mai/lmstudio-adapter';
import { didYouMean } from '@mai/model-config';
import { isRecord } from '../guards.js';
import type { Downloads } from './downloads-list.js';
import type { DownloadsOrigin } from './downloads-report.js';
import { leftOutByKey } from './left-out-models.js';
import { notesOfUnlisted } from './left-out-notes.js';

/**
 * The error `MODEL_NOT_FOUND` for a name that no offered model has. It says why the model is not offered where its file is
 * known; else it suggests the similar name, or the next step.
 */
export function modelNotFound(key: string, downloads: Downloads): LMStudioError {
  const { models, origin } = downloads;
  const keys = models.map(({ modelKey }) => modelKey);
  const leftOut = leftOutByKey(downloads).get(key)?.note;
  if (leftOut !== undefined)
    return new LMStudioError('MODEL_NOT_FOUND', leftOut, { modelKey: key, suggestions: [] });
  const [missing] = notesOfUnlisted(downloads);
  const guess = didYouMean(key, keys);
  const next =
    missing ??
    (keys.length === 0
      ? `Nothing is downloaded ${whereOf(origin)}.`
      : guess === null
        ? '`mai models` lists the downloaded models.'
        : `Did you mean ${guess}?`);
  return new LMStudioError(
    'MODEL_NOT_FOUND',
    `${key} is neither a downloaded model nor a file. ${next}`,
    { modelKey: key, suggestions: guess === null ? [] : [guess] },
  );
}

/**
 * Replaces a runtime's error that it has no model of a name. The runtime does not know the files that `mai models` leaves out, so
 * its error cannot say why a file is not offered, or which folder is missing. Returns any other error unchanged.
 */
export async function withReason(
  error: unknown,
  key: string,
  listDownloads: () => Promise<Downloads>,
): Promise<unknown> {
  if (!isRecord(error) || error['code'] !== 'MODEL_NOT_FOUND') return error;
  const downloads = await listDownloads();
  return leftOutByKey(downloads).has(key) || notesOfUnlisted(downloads).length > 0
    ? modelNotFound(key, downloads)
    : error;
}

function whereOf(origin: DownloadsOrigin): string {
  if (origin.kind === 'lmstudio') return 'in LM Studio';
  if (origin.kind === 'stores') return 'on this machine';
  return origin.folder === null
    ? 'here: LM Studio is off, and its models folder was not found'
    : `in LM Studio's models folder, ${origin.folder}`;
}
