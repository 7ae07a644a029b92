import { RequestError } from '../engine/request-error.js';

/** Names of fields in a chat request, and their names in the protocol that was translated into it. */
export type FieldNames = readonly (readonly [RegExp, string])[];

/** The error with the names of the fields that the client has sent. */
export function withNames(error: RequestError, names: FieldNames): RequestError {
  const rename = (text: string): string =>
    names.reduce((renamed, [name, own]) => renamed.replace(name, own), text);
  return new RequestError(error.status, rename(error.message), {
    code: error.code,
    param: error.param === null ? null : rename(error.param),
  });
}
