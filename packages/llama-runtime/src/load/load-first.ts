import { isLlamaRuntimeError, LlamaRuntimeError, type LlamaRuntimeErrorCode } from '../errors.js';
import type { LoadFirstResult, LoadRequest, LoadResult } from './load-types.js';

/** Codes of faults that would also fail the next request. */
const FINAL: ReadonlySet<LlamaRuntimeErrorCode> = new Set(['CLOSED', 'ENGINE_MISSING']);

/** Tries the requests in order and returns the first load that succeeds. */
export async function loadFirst(
  load: (request: LoadRequest) => Promise<LoadResult>,
  requests: readonly LoadRequest[],
): Promise<LoadFirstResult> {
  const failures: { readonly modelKey: string; readonly error: LlamaRuntimeError }[] = [];
  for (const [index, request] of requests.entries()) {
    try {
      return { ...(await load(request)), index, failures };
    } catch (error) {
      // A cancellation or a bug ends the attempts.
      if (!isLlamaRuntimeError(error)) throw error;
      failures.push({ modelKey: request.modelKey, error });
      if (!FINAL.has(error.code)) continue;
      if (failures.length === 1) throw error;
      throw new LlamaRuntimeError(error.code, error.message, { ...error, failures, cause: error });
    }
  }
  const [first] = failures;
  if (first === undefined) throw new TypeError('loadFirst needs at least one request.');
  const reasons = failures.map(({ error }) => error.message).join(' ');
  throw new LlamaRuntimeError(
    'LOAD_FAILED',
    failures.length === 1
      ? reasons
      : `None of the ${failures.length} candidates could be loaded. ${reasons}`,
    { modelKey: first.modelKey, failures, cause: failures.at(-1)?.error },
  );
}
