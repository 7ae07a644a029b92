/**
 * An error as LM Studio serializes it. Refusals of the guardrails, crashes and exhausted memory have no
 * `displayData` with a code, only text.
 */
export interface SerializedError {
  readonly title: string;
  readonly cause?: string;
  readonly suggestion?: string;
  readonly displayData?: { readonly code: string } & Readonly<Record<string, unknown>>;
  readonly stack: string;
  readonly rootTitle: string;
}

/** An error that is sent to the client. */
export class WireError extends Error {
  readonly serialized: SerializedError;

  constructor(
    title: string,
    details: {
      readonly cause?: string;
      readonly suggestion?: string;
      readonly displayData?: { readonly code: string } & Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(title);
    this.name = 'WireError';
    // LM Studio sends the stack of its own source. Clients do not read it, so a short stack is
    // enough.
    this.serialized = {
      title,
      ...details,
      stack: `Error: ${title}\n    at lmstudio`,
      rootTitle: title,
    };
  }
}

const SAMPLE_SIZE = 5;

// The codes and their facts are those of lmstudio-js. The SDK makes its own text for most codes, so the
// titles of these errors are invented.
export function pathNotFound(path: string, available: readonly string[]): WireError {
  return new WireError(`No model found that matches path "${path}"`, {
    displayData: {
      code: 'generic.pathNotFound',
      path,
      availablePathsSample: available.slice(0, SAMPLE_SIZE),
      totalModels: available.length,
    },
  });
}

export function identifierNotFound(identifier: string, loaded: readonly string[]): WireError {
  return new WireError(`Cannot find a model with identifier "${identifier}"`, {
    displayData: {
      code: 'generic.identifierNotFound',
      identifier,
      loadedModelsSample: loaded.slice(0, SAMPLE_SIZE),
      totalLoadedModels: loaded.length,
    },
  });
}

export function noModelMatchingQuery(query: object, loaded: readonly string[]): WireError {
  return new WireError('No loaded model satisfies the query', {
    displayData: {
      code: 'generic.noModelMatchingQuery',
      query,
      loadedModelsSample: loaded.slice(0, SAMPLE_SIZE),
      totalLoadedModels: loaded.length,
    },
  });
}

export function specificModelUnloaded(): WireError {
  return new WireError('Model is unloaded.', {
    displayData: { code: 'generic.specificModelUnloaded' },
  });
}

export function domainMismatch(path: string, actual: string, expected: string): WireError {
  return new WireError(`Model "${path}" is of domain "${actual}", not "${expected}"`, {
    displayData: {
      code: 'generic.domainMismatch',
      path,
      actualDomain: actual,
      expectedDomain: expected,
    },
  });
}

/** Invented: no source shows this error. */
export function identifierInUse(identifier: string): WireError {
  return new WireError(`A model with identifier "${identifier}" is already loaded.`);
}

/** The guardrails' message of LM Studio 0.3.27 and later. */
export function insufficientResources(requiredBytes: number): WireError {
  const gigabytes = (requiredBytes / 2 ** 30).toFixed(2);
  return new WireError(
    'Model loading was stopped due to insufficient system resources. Under the current settings, ' +
      `this model requires approximately ${gigabytes} GB of memory, and continuing to load it would ` +
      'likely overload your system and cause it to freeze. If you think this is incorrect, you can ' +
      'adjust the model loading guardrails in settings.',
  );
}

/** The message that users of LM Studio report where no engine for a format is installed. */
export function noRuntime(format: 'gguf' | 'mlx'): WireError {
  return new WireError(`No LM Runtime found for model format '${format}'!`);
}

export function presetNotFound(
  identifier: string,
  available: readonly { readonly identifier: string; readonly name: string }[],
): WireError {
  return new WireError(`Cannot find a preset with identifier "${identifier}"`, {
    displayData: {
      code: 'generic.presetNotFound',
      specifiedFuzzyPresetIdentifier: identifier,
      availablePresetsSample: available.slice(0, SAMPLE_SIZE),
      totalAvailablePresets: available.length,
    },
  });
}

/** The answer of an endpoint that is not simulated. */
export function notSimulated(endpoint: string): WireError {
  return new WireError(`The LM Studio simulator does not simulate "${endpoint}".`);
}

/** Invented: no capture shows the error that confirms a cancel. */
export function loadCancelled(): WireError {
  return new WireError('Model loading aborted.', { cause: 'Operation canceled.' });
}

/** The texts of lmstudio-bug-tracker #2234. */
export function engineCrashed(exitCode: string): WireError {
  return new WireError('Error loading model.', {
    cause: `(Exit code: ${exitCode}). Unknown error. Try a different model and/or config.`,
  });
}

/** The text of lmstudio-bug-tracker #1057 and #2255 where the engine ends during a prediction. */
export function engineEnded(exitCode: string): WireError {
  return new WireError(
    `The model has crashed without additional information. (Exit code: ${exitCode})`,
  );
}

/** The texts that users report where memory runs out: for a GPU, and for RAM (lmstudio-bug-tracker #2004). */
export function outOfMemory(pool: 'ram' | 'vram', platform: string): WireError {
  return pool === 'vram'
    ? new WireError('Failed to load model', {
        cause: `error loading model: unable to allocate ${platform}0 buffer`,
      })
    : new WireError('Error loading model.', {
        cause: '(Exit code: null). Please check settings and try loading the model again. ',
      });
}
