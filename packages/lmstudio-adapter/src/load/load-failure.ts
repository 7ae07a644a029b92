import { LMStudioError } from '../errors.js';
import { modelNotFound } from '../models/find-model.js';
import type { DownloadedModel } from '../models/model-types.js';
import { isCallFault } from '../wire/call-fault.js';
import { asSentence, type Connection, toLMStudioError } from '../wire/connection.js';
import type { NormalizedLoad } from './load-types.js';

// LM Studio has error codes for few refusals, and the SDK drops those codes. So refusals are
// recognized by their text.
const NOT_FOUND = /(?:cannot find a model|no model found|model not found)/i;
const IN_USE = /identifier\b.*\b(?:in use|already|exists)|already (?:exists|in use|loaded)/i;
const TOO_LARGE = /insufficient (?:system )?(?:resources|memory)|guardrail/i;
const UNSUITABLE =
  /wrong domain|invalid parameter|not support|missing runtime|requires? .*runtime|no (?:lm )?runtime/i;
// Out-of-memory texts of ggml ('unable to allocate CUDA0 buffer'), CUDA, Vulkan, Metal and C++.
const OUT_OF_MEMORY =
  /out of memory|(?:unable|failed) to allocate|cudaMalloc failed|OutOf(?:Device|Host)Memory|kIOGPUCommandBufferCallbackErrorOutOfMemory|bad_alloc/i;
/** The heading that the SDK puts before the cause of an error. */
const CAUSE_HEADING = /[\s.:]*\(X\) CAUSE\s*/g;

/** The `LMStudioError` for a load that failed. Anything but a `CallFault` is returned unchanged. */
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
    return toLMStudioError(error, connection, `load ${modelKey}`, facts);
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
      `${modelKey} was not loaded: the identifier '${identifier}' is in use. Unload that instance first, or choose another identifier.`,
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
      `LM Studio refuses to load ${modelKey}: ${why} Check the load settings, and the engine in LM Studio (Settings, Runtime).`,
      all,
    );
  }
  return new LMStudioError(
    'LOAD_FAILED',
    `LM Studio could not load ${modelKey}: ${why} Try a shorter context, fewer layers on the GPU, or another engine in LM Studio (Settings, Runtime).`,
    { ...all, outOfMemory: OUT_OF_MEMORY.test(serverMessage) },
  );
}
