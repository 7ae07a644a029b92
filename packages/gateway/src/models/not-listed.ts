import type { ServingCatalog } from '../ports/serving-port.js';
import { createFailure } from '../protocols/create-failure.js';
import type { Failure } from '../protocols/protocol.js';
import { checkRuntime } from '../upstream/runtime-words.js';

/** As for a runtime that does not answer. */
const RETRY_SECONDS = 5;

/** Why this machine may have models that the catalog lacks, and the next step; null where the catalog has all of them. */
export function whyNotListed({
  runtime,
  runtimeAnswers,
  unreachableNote,
}: ServingCatalog): string | null {
  const isOff = runtime === 'lmstudio' && !runtimeAnswers;
  const reasons = [
    ...(isOff
      ? [
          `LM Studio is off or does not answer, so its list of models cannot be read. ${checkRuntime(runtime)}.`,
        ]
      : []),
    ...(unreachableNote === null ? [] : [unreachableNote]),
  ];
  return reasons.length === 0 ? null : reasons.join(' ');
}

/**
 * The failure of a request for a model that is not in the catalog and may exist nevertheless. It is worth another try: after a
 * 404, clients take a model out of their settings.
 */
export function notListed(message: string): Failure {
  return {
    ...createFailure('models_not_listed', 503, message),
    retryAfterSeconds: RETRY_SECONDS,
  };
}
