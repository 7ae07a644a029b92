import { formatName, type ModelOnDevice, variantKey } from '../runtime/device.js';
import type { ResidentState } from '../runtime/resident.js';
import type { Backend } from '../runtime/backend.js';
import { RequestFailure } from './generation/request-failure.js';

/** `GET /api/v0/models`, which LM Studio has since 0.3.5. */
export function listV0({ runtime }: Backend): object {
  return {
    object: 'list',
    data: runtime.downloaded().map((file) => describeV0(file, runtime.residents.all)),
  };
}

/** `GET /v1/models`, as OpenAI clients call it. */
export function listOpenAi({ runtime }: Backend): object {
  return {
    object: 'list',
    data: runtime
      .downloaded()
      .map(({ modelKey }) => ({ id: modelKey, object: 'model', owned_by: 'organization_owner' })),
  };
}

/** `GET /api/v0/models/{model}`. @throws RequestFailure where no downloaded model has the key. */
export function oneV0({ runtime }: Backend, key: string): object {
  const file = runtime.downloaded().find(({ modelKey }) => modelKey === key);
  if (file) return describeV0(file, runtime.residents.all);
  throw new RequestFailure(404, `Model with identifier "${key}" not found`, {
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  });
}

function describeV0(file: ModelOnDevice, residents: readonly ResidentState[]): object {
  const { model } = file;
  const loaded = residents.find((resident) => resident.file.model === model);
  return {
    id: file.modelKey,
    object: 'model',
    type: model.type === 'embedding' ? 'embeddings' : model.vision ? 'vlm' : 'llm',
    publisher: model.publisher,
    ...(model.architecture === null ? {} : { arch: model.architecture }),
    compatibility_type: formatName(model),
    ...(file.quantization === null ? {} : { quantization: file.quantization.name }),
    state: loaded ? 'loaded' : 'not-loaded',
    max_context_length: model.maxContextLength,
    ...(loaded ? { loaded_context_length: loaded.settings.contextLengthTokens } : {}),
    ...(model.trainedForToolUse ? { capabilities: ['tool_use'] } : {}),
  };
}

/** `GET /api/v1/models` */
export function listV1({ runtime }: Backend): object {
  return {
    models: runtime.downloaded().map((file) => {
      const { model } = file;
      return {
        type: model.type,
        publisher: model.publisher,
        key: file.modelKey,
        display_name: model.displayName,
        ...(model.type === 'llm' ? { architecture: model.architecture } : {}),
        quantization:
          file.quantization === null
            ? null
            : { name: file.quantization.name, bits_per_weight: file.quantization.bits },
        size_bytes: file.sizeBytes,
        params_string: model.paramsString,
        loaded_instances: runtime.residents.all
          .filter((resident) => resident.file.model === model)
          .map((resident) => ({ id: resident.identifier, config: instanceConfig(resident) })),
        max_context_length: model.maxContextLength,
        format: formatName(model),
        ...(model.type === 'llm'
          ? {
              capabilities: {
                vision: model.vision,
                trained_for_tool_use: model.trainedForToolUse,
              },
            }
          : {}),
        description: null,
        ...(file.variantName !== null
          ? {
              variants: model.variants.map(({ name }) => variantKey(model, name)),
              selected_variant: variantKey(model, file.variantName),
            }
          : {}),
      };
    }),
  };
}

/** The settings of an instance as REST v1 shows them, with the keys of LM Studio's documentation. */
export function instanceConfig({ domain, settings }: ResidentState): object {
  const context = { context_length: settings.contextLengthTokens };
  if (domain === 'embedding') return context;
  return {
    ...context,
    eval_batch_size: settings.evalBatchTokens,
    parallel: settings.parallelSequences,
    flash_attention: settings.flashAttention,
    offload_kv_cache_to_gpu: settings.kvCacheOnGpu,
  };
}
