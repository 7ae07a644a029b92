import { isName, NAME_MAX_LENGTH } from '@mai/memory-ledger';
import { HostError } from '../host-error.js';

/**
 * Checks a name that is kept and shown: of a yield, a pin or an instance. The message does not repeat it.
 *
 * @param what - what has the name, such as `name of a yield`
 * @throws HostError `INVALID_REQUEST`
 */
export function checkName(what: string, name: string): void {
  if (isName(name)) return;
  throw new HostError(
    'INVALID_REQUEST',
    `The ${what} must be one line of 1 to ${NAME_MAX_LENGTH} characters, without control characters. Give another one.`,
  );
}
