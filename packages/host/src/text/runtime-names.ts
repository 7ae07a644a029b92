import type { RuntimeName } from '../runtime/runtime-client.js';
import { displayAddress } from '../words.js';

/** The names of the runtimes for people, as a heading. */
export const RUNTIME_NAMES: Readonly<Record<RuntimeName, string>> = {
  lmstudio: 'LM Studio',
  embedded: 'Embedded engine',
};

/**
 * A runtime with its address: `LM Studio 0.4.21 at 127.0.0.1:1234`, `the embedded engine 1.7.15`.
 *
 * @param address - `embedded` for the embedded engine
 * @param version - null: not named
 */
export function describeRuntime(address: string, version: string | null): string {
  const suffix = version === null ? '' : ` ${version}`;
  return address === 'embedded'
    ? `the embedded engine${suffix}`
    : `LM Studio${suffix} at ${displayAddress(address)}`;
}
