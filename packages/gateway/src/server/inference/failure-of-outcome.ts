import { asSentence } from '../../as-sentence.js';
import { createFailure } from '../../protocols/create-failure.js';
import type { Failure, ProtocolName } from '../../protocols/protocol.js';
import { shorten } from '../../shorten.js';
import type { RelayOutcome } from '../../upstream/relay.js';
import { checkRuntime, runtimeName, type RuntimeName } from '../../upstream/runtime-words.js';
import type { ReportedChoice } from './decision-headers.js';

/** Longest part of a runtime's message that is passed on in a failure of the gateway. */
const QUOTED_MAX = 300;

/** The failure that the client of a request gets for an attempt that was the last. */
export function failureOf(
  outcome: Exclude<RelayOutcome, { kind: 'done' }>,
  reported: ReportedChoice,
  protocol: ProtocolName,
  runtime: RuntimeName | null,
): Failure {
  const model = reported.modelKey ?? 'The model';
  const after = reported.fallbacks === 0 ? '' : ` after ${reported.fallbacks + 1} attempts`;
  switch (outcome.kind) {
    case 'cut':
      return failed(
        `${model} stopped in the middle of its answer: ${asSentence(outcome.error.message)} Send the request again.`,
      );
    case 'unreachable':
      return {
        ...failed(
          reported.host === null
            ? `${runtimeName(runtime)} did not answer${after}: ${asSentence(outcome.error.message)} ${checkRuntime(runtime)}, then send the request again.`
            : `The host ${reported.host} did not answer${after}: ${asSentence(outcome.error.message)} Check with "mai fleet status" that it runs, then send the request again.`,
        ),
        code: 'upstream_unreachable',
        status: 503,
        retryAfterSeconds: 5,
      };
    case 'refused': {
      const { status, headers } = outcome.head;
      const { message, retriable, exceeded } = outcome.failure;
      const quoted = shorten(message, QUOTED_MAX);
      if (status === 401 || status === 403) {
        if (reported.host !== null) {
          return failed(
            `The host ${reported.host} refused the certificate of this machine${after}. Run "mai fleet status" on both machines.`,
          );
        }
        return failed(
          runtime === 'embedded'
            ? `The embedded engine refused Mai's token. Start "mai serve" again.`
            : `LM Studio refused Mai's token. Set LM_API_TOKEN for "mai serve" to a valid token of LM Studio.`,
        );
      }
      if (retriable)
        return failed(`${model} failed${after}: ${asSentence(quoted)} Send the request again.`);
      // A refusal with status 400 is passed on as it is. Anthropic's clients know the error by its words only.
      if (exceeded !== undefined && (status !== 400 || protocol === 'anthropic-messages')) {
        return createFailure('context_length_exceeded', 400, quoted);
      }
      if (status >= 400) return createFailure('refused', status, quoted);
      // The first event of a stream. LM Studio judges a request for a stream only after it has sent the status.
      if (String(headers['content-type']).includes('event-stream')) {
        return createFailure('invalid_request', 400, quoted);
      }
      // LM Studio answers an endpoint that it lacks with status 200 and an error.
      return createFailure(
        'not_supported',
        501,
        `${runtimeName(runtime)} does not serve the request: ${asSentence(quoted)} ${runtime === 'embedded' ? 'Use' : 'Update LM Studio, or use'} another endpoint.`,
      );
    }
  }
}

function failed(message: string): Failure {
  return createFailure('upstream_failed', 502, message);
}
