import { plainText } from './plain-text.js';
import { record, text } from '../json-fields.js';

/** An error that LM Studio sent. `message` is its title and its cause, in plain text. */
export class ServerError extends Error {
  override readonly name = 'ServerError';

  constructor(
    message: string,
    /** LM Studio's code, e.g. `generic.pathNotFound`. Few errors have a code. */
    readonly code: string | null,
  ) {
    super(message);
  }
}

/**
 * Reads an error as LM Studio serializes it. Drops the suggestion, because the messages of this package say what to
 * do next.
 */
export function toServerError(serialized: unknown): ServerError {
  const raw = record(serialized);
  const title = plainText(text(raw?.['title']) ?? '');
  const root = plainText(text(raw?.['rootTitle']) ?? '');
  const cause = plainText(text(raw?.['cause']) ?? '');
  const code = text(record(raw?.['displayData'])?.['code']);
  const named = isEmptyTitle(title) ? root : title;
  return new ServerError(join(isEmptyTitle(named) ? '' : named, cause), code);
}

/** The SDK and LM Studio fill a missing title with this text. */
function isEmptyTitle(title: string): boolean {
  return title === '' || /^unknown error\.?$/i.test(title);
}

function join(title: string, cause: string): string {
  if (cause === '' || title.includes(cause)) return title === '' ? 'unknown error' : title;
  if (title === '' || cause.includes(title)) return cause;
  return `${title.replace(/[\s.:]+$/, '')}: ${cause}`;
}
