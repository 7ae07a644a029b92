import { didYouMean, findModel } from '../models/find-model.js';
import { type Connection, inCallersTerms } from '../wire/connection.js';
import { LMStudioError } from '../errors.js';
import type { DownloadedModel } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';
import type { NormalizedLoad } from './load-types.js';

// LM Studio has codes for few of its refusals, and the SDK hides those: its text is what there is.
const NOT_FOUND = /(?:cannot find a model|no model found|model not found)/i;
const IN_USE = /identifier\b.*\b(?:in use|already|exists)|already (?:exists|in use|loaded)/i;
const TOO_LARGE = /insufficient (?:system )?(?:resources|memory)|guardrail/i;
const UNSUITABLE =
  /wrong domain|invalid parameter|not support|missing runtime|requires? .*runtime|no (?:lm )?runtime/i;
// ggml ('unable to allocate CUDA0 buffer', 'failed to allocate'), CUDA, Vulkan, Metal and C++.
const OUT_OF_MEMORY =
  /out of memory|(?:unable|failed) to allocate|cudaMalloc failed|OutOf(?:Device|Host)Memory|kIOGPUCommandBufferCallbackErrorOutOfMemory|bad_alloc/i;
// The SDK's heading over what lies behind an error; cut off from its lines it is noise.
const CAUSE_HEADING = /[\s.:]*\(X\) CAUSE\s*/g;

/** The error for a load that failed, in the caller's terms. A cancellation passes unchanged. */
export function loadFailure(
  error: unknown,
  connection: Connection,
  load: Pick<NormalizedLoad, 'modelKey' | 'identifier'>,
  downloaded: readonly DownloadedModel[] | null,
  uncertain = false,
): unknown {
  const { modelKey, identifier } = load;
  const facts = { modelKey, instanceIdentifier: identifier, uncertain };
  if (!isCallFault(error, 'answered')) {
    return inCallersTerms(error, connection, `load ${modelKey}`, facts);
  }
  const serverMessage = error.message;
  const all = {
    ...facts,
    baseUrl: connection.address.webSocketUrl,
    serverMessage,
    cause: error,
  };
  if (NOT_FOUND.test(serverMessage)) return modelNotFound(modelKey, downloaded, all);
  if (IN_USE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      `The identifier '${identifier}' is in use, so ${modelKey} was not loaded under it. Unload it first, or choose another identifier.`,
      all,
    );
  }
  const why = asSentence(serverMessage.replace(CAUSE_HEADING, ': '));
  if (TOO_LARGE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      `LM Studio refuses to load ${modelKey}: ${why} Unload something, or choose a smaller model or a shorter context.`,
      all,
    );
  }
  if (UNSUITABLE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      `LM Studio refuses to load ${modelKey}: ${why} Check the settings that were asked for, and the engine in LM Studio (Settings, Runtime).`,
      all,
    );
  }
  return new LMStudioError(
    'LOAD_FAILED',
    `LM Studio could not load ${modelKey}: ${why} Try a shorter context, less on the GPU, or another engine in LM Studio (Settings, Runtime).`,
    { ...all, outOfMemory: OUT_OF_MEMORY.test(serverMessage) },
  );
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The error for a key that is not downloaded, with what may have been meant. */
export function modelNotFound(
  modelKey: string,
  downloaded: readonly DownloadedModel[] | null,
  facts: ConstructorParameters<typeof LMStudioError>[2] = {},
): LMStudioError {
  const suggestions = downloaded === null ? [] : findModel(modelKey, downloaded).suggestions;
  return new LMStudioError(
    'MODEL_NOT_FOUND',
    `No downloaded model has the key '${modelKey}'.${didYouMean(suggestions)} 'lms ls' lists what is downloaded, 'lms get' downloads more.`,
    { ...facts, modelKey, suggestions },
  );
}
