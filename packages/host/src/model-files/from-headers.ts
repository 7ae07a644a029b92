import type * as computed from './computed-from-headers.js';

/** The functions that compute facts and estimates from headers. Imported here, because kept facts and estimates need none of them. */
export function fromHeaders(): Promise<typeof computed> {
  return import('./computed-from-headers.js');
}
