import { asSentence } from '../../as-sentence.js';
import { createFailure } from '../../protocols/create-failure.js';
import { notListed, whyNotListed } from '../../models/not-listed.js';
import type { Failure } from '../../protocols/protocol.js';
import type { ServingCatalog, ServingRequest } from '../../ports/serving-port.js';
import type { Selection } from '../../ports/selection.js';
import { listed } from './listed.js';
import { chainOf } from '../serves.js';
import { getModel } from '../../upstream/runtime-words.js';

const RETRY_SECONDS = 30;

type Rejected = Selection['rejected'];

/**
 * Why no model serves a request, and what to do. Freeing memory helps only where memory is the reason. So the message first
 * looks for models that are not downloaded, or that cannot do what the request needs. While the list of models is not
 * complete, it does not say that a model is not downloaded.
 *
 * @param decisionId - the logged decision that rejected the models; null where it was not logged
 */
export function nothingFits(
  rejected: Rejected,
  wanted: ServingRequest,
  catalog: ServingCatalog | null,
  decisionId: string | null = null,
): Failure {
  const { capabilities, tiers, chain } = wanted;
  const runtime = catalog?.runtime ?? null;
  const why = catalog === null ? null : whyNotListed(catalog);
  const notDownloaded = (message: string): Failure =>
    why === null
      ? createFailure('model_not_downloaded', 404, message)
      : notListed(`No model that could serve this request was found. ${why}`);
  const isAll = (...codes: readonly string[]): boolean =>
    rejected.length > 0 && rejected.every(({ rejection }) => codes.includes(rejection.code));
  const names = `the fallback chain ${chain === null ? '' : JSON.stringify(chain)}`.trim();
  const refused = rejected.find(({ rejection }) => rejection.code === 'ENGINE_REFUSES');
  if (refused !== undefined && isAll('NOT_DOWNLOADED', 'ENGINE_REFUSES')) {
    const reason = refused.rejection.refusal?.reason ?? 'the engine refuses its file';
    return createFailure(
      'load_failed',
      503,
      asSentence(`${refused.modelKey} cannot be loaded: ${reason}`) +
        ' "mai models" lists the models that can be loaded.',
    );
  }
  if (catalog !== null && !catalog.models.some(({ downloaded }) => downloaded)) {
    return notDownloaded(`No model is downloaded. ${getModel(runtime)}.`);
  }
  if (isAll('NOT_DOWNLOADED') || (rejected.length === 0 && isEmpty(wanted, catalog))) {
    const some = rejected.length === 0 ? '' : ` (${listed(rejected)})`;
    return notDownloaded(
      `No model of ${names} is downloaded${some}. ${getModel(runtime)}. GET /v1/models lists the models that are downloaded.`,
    );
  }
  if (isAll('NOT_DOWNLOADED', 'MISSING_CAPABILITY')) {
    const needed = missingEverywhere(rejected, capabilities).join(' and ');
    return createFailure(
      'not_capable',
      400,
      `No downloaded model of ${names} can do what this request needs: ${needed}. ${why ?? `Download a model with ${needed}, or name another chain as auto:CHAIN.`}`,
    );
  }
  if (tiers !== null && isAll('NOT_DOWNLOADED', 'MISSING_CAPABILITY', 'OUTSIDE_TIER')) {
    const isCapable = isAll('NOT_DOWNLOADED', 'OUTSIDE_TIER');
    const needed = isCapable ? '' : ` and can do ${capabilities.join(' and ')}`;
    return notDownloaded(
      `No downloaded model of ${names} is of the tier ${tiers.join(' or ')}${needed}. Download one, or ask for another tier.`,
    );
  }
  return {
    code: 'nothing_fits',
    status: 503,
    message: `None of the models that could serve this request fits now${rejected.length === 0 ? '' : `: ${listed(rejected)}`}. Free memory, or ask for a smaller model or a shorter context. "mai explain${decisionId === null ? '' : ` ${decisionId}`}" shows the numbers.`,
    retryAfterSeconds: RETRY_SECONDS,
  };
}

/** The needed capabilities that no model has; all that are needed where each is had by some model. */
function missingEverywhere(rejected: Rejected, needed: readonly string[]): readonly string[] {
  const lacking = rejected.filter(({ rejection }) => rejection.code === 'MISSING_CAPABILITY');
  const missing = needed.filter((one) =>
    lacking.every(({ rejection }) => rejection.missing?.includes(one)),
  );
  return missing.length === 0 ? needed : missing;
}

/** Whether no model of the chain that a request means is downloaded. */
function isEmpty(wanted: ServingRequest, catalog: ServingCatalog | null): boolean {
  if (catalog === null) return false;
  const chain = chainOf(wanted, catalog);
  return !catalog.models.some(
    ({ modelKey, downloaded }) => downloaded && chain?.includes(modelKey),
  );
}
