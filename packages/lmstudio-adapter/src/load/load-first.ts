import { isLMStudioError, LMStudioError } from '../errors.js';
import type { LoadFirstResult, LoadRequest, LoadResult } from './load-types.js';

/** Faults of the server or of the client: the next candidate would meet them too. */
const FINAL: ReadonlySet<string> = new Set(['UNREACHABLE', 'UNAUTHORIZED', 'INCOMPATIBLE']);

/** Loads the first request that succeeds, in order; one failure moves on to the next. */
export async function loadFirst(
  load: (request: LoadRequest) => Promise<LoadResult>,
  requests: readonly LoadRequest[],
): Promise<LoadFirstResult> {
  const failures: { readonly modelKey: string; readonly error: unknown }[] = [];
  for (const [index, request] of requests.entries()) {
    try {
      return { ...(await load(request)), index, failures };
    } catch (error) {
      // Cancellations and bugs end the chain as they are.
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
  const reasons = failures.map(({ error }) => (error as LMStudioError).message).join(' ');
  throw new LMStudioError(
    'LOAD_FAILED',
    `None of ${failures.length === 1 ? 'the' : `the ${failures.length}`} candidates could be loaded. ${reasons}`,
    { modelKey: first.modelKey, failures, cause: failures.at(-1)?.error },
  );
}
