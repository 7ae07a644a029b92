import { isLMStudioError, LMStudioError, type LMStudioErrorCode } from '../errors.js';
import type { LoadFirstResult, LoadRequest, LoadResult } from './load-types.js';

/** Codes of faults of the server or the client, which would also fail the next request. */
const FINAL: ReadonlySet<LMStudioErrorCode> = new Set([
  'UNREACHABLE',
  'UNAUTHORIZED',
  'INCOMPATIBLE',
]);

/** Tries the requests in order and returns the first load that succeeds. */
export async function loadFirst(
  load: (request: LoadRequest) => Promise<LoadResult>,
  requests: readonly LoadRequest[],
): Promise<LoadFirstResult> {
  const failures: { readonly modelKey: string; readonly error: LMStudioError }[] = [];
  for (const [index, request] of requests.entries()) {
    try {
      return { ...(await load(request)), index, failures };
    } catch (error) {
      // A cancellation or a bug ends the attempts.
      if (!isLMStudioError(error)) throw error;
      failures.push({ modelKey: request.modelKey, error });
      if (FINAL.has(error.code)) {
        if (failures.length === 1) throw error;
        throw new LMStudioError(error.code, error.message, { ...error, failures, cause: error });
      }
    }
  }
  const [first] = failures;
  if (first === undefined) throw new TypeError('loadFirst needs at least one request.');
  const reasons = failures.map(({ error }) => error.message).join(' ');
  throw new LMStudioError(
    'LOAD_FAILED',
    failures.length === 1
      ? reasons
      : `None of the ${failures.length} candidates could be loaded. ${reasons}`,
    { modelKey: first.modelKey, failures, cause: failures.at(-1)?.error },
  );
}
