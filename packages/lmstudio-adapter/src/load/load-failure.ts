import { LMStudioError } from '../errors.js';
import { modelNotFound } from '../models/find-model.js';
import { isCallFault } from '../wire/call-fault.js';
import { asSentence, type Connection, toLMStudioError } from '../wire/connection.js';
import { ServerError } from '../faults/server-error.js';
import type { NormalizedLoad } from './load-types.js';
import type { Target } from './resolve-target.js';

// LM Studio has error codes for few refusals, so the others are recognised by their text.
const NOT_FOUND = /(?:cannot find a model|no model found|model not found)/i;
const IN_USE = /identifier\b.*\b(?:in use|already|exists)|already (?:exists|in use|loaded)/i;
// Metal ends a load with 'Insufficient Memory (00000008:kIOGPU...OutOfMemory)', which is no refusal.
const TOO_LARGE = /insufficient (?:system )?(?:resources|memory)(?! \(\w+:kIOGPU)|guardrail/i;
// The last two are texts of llama.cpp before and since January 2026 (ollama/ollama #15043, lmstudio-bug-tracker #1390).
const UNSUITABLE =
  /wrong domain|invalid parameter|not support|requires? .*runtime|V cache quantization requires|quantized V cache was requested/i;
const UNSUITABLE_CODES: ReadonlySet<string> = new Set([
  'generic.domainMismatch',
  'generic.engineDoesNotSupportFeature',
]);
// Texts of lmstudio-bug-tracker #317, and of #711 and #1658, where the engine or a library of its driver is missing on the disk.
// The code is from lmstudio-js.
const NO_ENGINE = /missing runtime|no (?:lm )?runtime|failed to load llm engine/i;
const NO_ENGINE_CODE = 'generic.missingRuntimeExtension';
// A part of LM Studio has ended or is of another version, so every load fails (lmstudio-bug-tracker #1288, #1543, #1584 and #1646).
const BROKEN = /snapshot of system resources failed|invalid load message/i;
// The text of 0.4.20 for any reason (lmstudio-bug-tracker #2190 and #2231). Only the log has the words of the engine.
const ENDED = /exited before becoming healthy/i;
// Texts of llama.cpp (lmstudio-bug-tracker #77, #890 and #1268, ggml-org/llama.cpp #27349) and of mlx-lm (lmstudio-bug-tracker
// #1803, lmstudio-ai/lms #552) for a file that this version of the engine cannot read.
const FILE_REFUSED =
  /unknown model architecture|unknown pre-tokenizer|error loading model (?:architecture|hyperparameters|vocabulary)|wrong number of tensors|missing tensor|tensor '[^']*' (?:not found|has wrong shape)|key not found in model|invalid (?:magic|ggml type)|not within the file bounds|model type \S+ (?:is )?not supported|parameters not in model|missing \d+ parameters|KeyError: 'model_type'/i;
// Texts of ggml ('unable to allocate CUDA0 buffer'), CUDA, Vulkan ('ErrorOutOfDeviceMemory'), SYCL
// ('UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY'), Metal, MLX, Linux, Windows and C++.
const OUT_OF_MEMORY =
  /out of memory|(?:unable|failed) to allocate|cudaMalloc failed|out_?of_?(?:device|host)_?memory|kIOGPUCommandBufferCallbackErrorOutOfMemory|greater than the maximum allowed buffer size|cannot allocate memory|paging file is too small|os error 1455|bad_alloc/i;

/**
 * The `LMStudioError` for a load that failed. Anything but a `CallFault` is returned unchanged.
 *
 * @param state.earlierRuns - an abandoned load with the same identifier has not ended, as far as is known
 */
export function loadFailure(
  error: unknown,
  connection: Connection,
  load: Pick<NormalizedLoad, 'modelKey' | 'identifier'>,
  target: Pick<Target, 'listing' | 'otherVariant'>,
  { uncertain = false, earlierRuns = false } = {},
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
  const code = codeOf(error);
  if (code === 'generic.pathNotFound' || NOT_FOUND.test(serverMessage)) {
    return target.otherVariant
      ? new LMStudioError(
          'LOAD_REFUSED',
          `LM Studio refuses ${modelKey}, because it is the key of a variant. Select this variant in LM Studio (My Models), then use the key without '@'.`,
          all,
        )
      : modelNotFound(modelKey, target.listing, all);
  }
  if (IN_USE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      // No resident had the identifier just before, so a load has it.
      earlierRuns
        ? `${modelKey} was not loaded: an earlier load with the identifier '${identifier}' was cancelled or timed out, and LM Studio still runs it. When that load has ended, Mai unloads its copy. Then try again, or choose another identifier now.`
        : `${modelKey} was not loaded: LM Studio says that the identifier '${identifier}' is in use, but lists no such instance. A load with this identifier may still run, for example a load that was cancelled. Wait until 'mai status' lists the instance, then use or unload that instance. Or choose another identifier.`,
      all,
    );
  }
  const why = asSentence(serverMessage);
  if (TOO_LARGE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      `LM Studio refuses to load ${modelKey}: ${why} Unload something, or choose a smaller model or a shorter context.`,
      all,
    );
  }
  if (code === NO_ENGINE_CODE || NO_ENGINE.test(serverMessage)) {
    // Not a refusal of this model: every model of this format fails until an engine is installed.
    return new LMStudioError(
      'LOAD_FAILED',
      `LM Studio could not load ${modelKey}: ${why} Install or select an engine for this format in LM Studio (Settings, Runtime).`,
      all,
    );
  }
  if (BROKEN.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_FAILED',
      `LM Studio could not load ${modelKey}: ${why} Restart LM Studio. If every load fails after that, update or reinstall LM Studio.`,
      all,
    );
  }
  if (FILE_REFUSED.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_FAILED',
      `LM Studio could not load ${modelKey}: ${why} Update the engine in LM Studio (Settings, Runtime), or download another file of this model.`,
      { ...all, fileRefused: true },
    );
  }
  if (UNSUITABLE_CODES.has(code ?? '') || UNSUITABLE.test(serverMessage)) {
    return new LMStudioError(
      'LOAD_REFUSED',
      `LM Studio refuses to load ${modelKey}: ${why} Check the load settings, and the engine in LM Studio (Settings, Runtime).`,
      all,
    );
  }
  const cause = ENDED.test(serverMessage) ? "LM Studio's server log has the cause. " : '';
  return new LMStudioError(
    'LOAD_FAILED',
    `LM Studio could not load ${modelKey}: ${why} ${cause}Try a shorter context, fewer layers on the GPU, or another engine in LM Studio (Settings, Runtime).`,
    { ...all, outOfMemory: OUT_OF_MEMORY.test(serverMessage) },
  );
}

/** LM Studio's own error code; `null` for most errors. */
function codeOf({ cause }: Error): string | null {
  return cause instanceof ServerError ? cause.code : null;
}
