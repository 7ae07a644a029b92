import type { Backend } from '../../runtime/backend.js';
import { findLoaded, type JustInTimeRequest, loadJustInTime } from '../../loading/just-in-time.js';
import { isAtLeast } from '../../profile/http-api.js';
import { modelOnDevice } from '../../runtime/device.js';
import type { ModelDomain, ModelOnDevice } from '../../runtime/device.js';
import type { ResidentState } from '../../runtime/resident.js';
import { WireError } from '../../wire/wire-error.js';
import type { Exchange } from '../exchange.js';
import { RequestFailure } from './request-failure.js';

/** The model that a request names, and the time to live for a load. */
export interface ModelChoice {
  /** An instance identifier or a model key; `null`: the request names no model. */
  readonly model: string | null;
  /** Seconds; `null`: the default of the world. */
  readonly ttlSeconds: number | null;
}

/**
 * Finds the instance that answers a request, or loads it just in time where the world allows that:
 *
 * 1. the instance with this identifier, or a copy of the model with this key;
 * 2. the downloaded model with this key, which is then loaded;
 * 3. the only instance that is loaded, whatever the request names. Captured: lmstudio-bug-tracker #619 (0.3.14) and
 *    #1217 (0.3.31). Assumed: later versions do the same.
 *
 * @throws RequestFailure where no instance can answer.
 */
export async function findInstance(
  backend: Backend,
  exchange: Exchange,
  domain: ModelDomain,
  { model, ttlSeconds }: ModelChoice,
): Promise<ResidentState> {
  const { runtime } = backend;
  // LM Studio used 404 in 0.3.5 and 0.3.15, and 400 in 0.3.31. The version of the change is assumed.
  const status = isAtLeast(runtime.profile.version, '0.3.23') ? 400 : 404;
  const loaded = model === null ? null : findLoaded(runtime, model, domain);
  if (loaded) return loaded;
  const file = model === null ? null : findByKey(backend, model);
  if (model !== null && file !== null && runtime.world.justInTime.enabled) {
    const failure = (reason: string): RequestFailure =>
      new RequestFailure(status, `Failed to load model "${model}". Error: ${reason}`, {
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      });
    // The text is assumed.
    if (file.model.type !== domain) throw failure(`Model is not ${domain}.`);
    try {
      const ttlMs = ttlSeconds === null ? null : ttlSeconds * 1000;
      return await load(backend, exchange, { file, domain, identifier: model, ttlMs, fields: [] });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw failure(error.serialized.title);
    }
  }
  const residents = runtime.residents.all.filter((resident) => resident.domain === domain);
  const [only] = residents;
  if (only !== undefined && residents.length === 1) return only;
  throw noInstance(backend, model, status, residents.length);
}

function load(
  { runtime }: Backend,
  exchange: Exchange,
  request: JustInTimeRequest,
): Promise<ResidentState> {
  return new Promise((resolve, reject) => {
    const started = loadJustInTime(runtime, request, {
      unloading: () => {},
      loading: () => {},
      progress: () => {},
      loaded: resolve,
      failed: reject,
      drop: () => exchange.cut(),
    });
    exchange.onClientGone(() => started?.clientGone());
  });
}

/** The downloaded model with a key. HTTP knows neither variant keys nor paths (lmstudio-bug-tracker #1462, #1730). */
export function findByKey({ runtime }: Backend, key: string): ModelOnDevice | null {
  for (const device of runtime.devicesByPreference()) {
    const model = device.models.find(({ modelKey }) => modelKey === key);
    if (model) return modelOnDevice(device, model);
  }
  return null;
}

// Captured: 'No models loaded', and 'Invalid model identifier' in a report of November 2025. Assumed: LM Studio
// sends the second text where several models are loaded. The text for a request without a model is assumed, too.
function noInstance(
  { runtime }: Backend,
  model: string | null,
  status: number,
  loadedCount: number,
): RequestFailure {
  const details = { type: 'invalid_request_error', param: 'model' };
  if (loadedCount === 0) {
    const message =
      "No models loaded. Please load a model in the developer page or use the 'lms load' command.";
    return new RequestFailure(status, message, details);
  }
  if (model === null) {
    const message =
      "Multiple models are loaded. Please specify a model by providing a 'model' field in the request body.";
    return new RequestFailure(status, message, details);
  }
  const examples = runtime
    .downloaded()
    .slice(0, 3)
    .map(({ modelKey }) => modelKey)
    .join(', ');
  const message = `Invalid model identifier "${model}". Please specify a valid downloaded model (e.g., ${examples}).`;
  return new RequestFailure(status, message, { ...details, code: 'model_not_found' });
}
