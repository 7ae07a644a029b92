import * as z from 'zod/mini';
import { domainOf } from '../runtime/device.js';
import type { ModelDomain, ModelOnDevice } from '../runtime/device.js';
import type { ConfigField } from '../wire/frames.js';
import { startLoad } from '../loading/load.js';
import type { ResidentState } from '../runtime/resident.js';
import type { Backend } from '../endpoints/backend.js';
import { WireError } from '../wire/wire-error.js';

/** An HTTP answer with a JSON body. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: object;
}

/** The error body of LM Studio's REST API. */
export function httpError(
  status: number,
  type: string,
  message: string,
  details: { readonly code?: string; readonly param?: string } = {},
): HttpAnswer {
  return {
    status,
    body: { error: { message, type, param: details.param ?? null, code: details.code ?? null } },
  };
}

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

/** `GET /api/v0/models/{model}` */
export function oneV0({ runtime }: Backend, key: string): HttpAnswer {
  const file = runtime.downloaded().find(({ modelKey }) => modelKey === key);
  return file
    ? { status: 200, body: describeV0(file, runtime.residents.all) }
    : httpError(404, 'invalid_request_error', `Model with identifier "${key}" not found`, {
        code: 'model_not_found',
        param: 'model',
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
    compatibility_type: model.format === 'gguf' ? 'gguf' : 'mlx',
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
        format: model.format === 'gguf' ? 'gguf' : 'mlx',
        ...(model.type === 'llm'
          ? {
              capabilities: {
                vision: model.vision,
                trained_for_tool_use: model.trainedForToolUse,
              },
            }
          : {}),
        description: null,
        ...(model.variants.length > 0
          ? {
              variants: model.variants.map(({ name }) => `${model.modelKey}@${name}`),
              selected_variant: `${model.modelKey}@${model.variants[0]?.name}`,
            }
          : {}),
      };
    }),
  };
}

const loadSchema = z.strictObject({
  model: z.string(),
  context_length: z.optional(z.int().check(z.positive())),
  eval_batch_size: z.optional(z.int().check(z.positive())),
  flash_attention: z.optional(z.boolean()),
  num_experts: z.optional(z.int()),
  offload_kv_cache_to_gpu: z.optional(z.boolean()),
  parallel: z.optional(z.int().check(z.positive())),
  echo_load_config: z.optional(z.boolean()),
});

/** `POST /api/v1/models/load`. The answer is sent when the model is loaded or the load has failed. */
export async function loadV1(
  backend: Backend,
  body: unknown,
  dropConnection: () => void,
): Promise<HttpAnswer> {
  const { runtime } = backend;
  const parsed = loadSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return httpError(400, 'invalid_request', issue?.message ?? 'Invalid request', {
      code: 'invalid_type',
      ...(issue && issue.path.length > 0 ? { param: issue.path.join('.') } : {}),
    });
  }
  const request = parsed.data;
  const startedMs = runtime.clock.now();
  try {
    const file = findByKey(backend, request.model);
    const domain = file === null ? null : domainOf(file);
    if (file === null || domain === null) return modelNotFound(request.model);
    const resident = await new Promise<ResidentState>((resolve, reject) => {
      startLoad(
        runtime,
        {
          file,
          domain,
          identifier: null,
          ttlMs: null,
          fields: restFields(domain, request),
          justInTime: false,
        },
        {
          progress: () => {},
          loaded: resolve,
          failed: reject,
          drop: dropConnection,
          restart: (downMs) => backend.restart(downMs),
        },
      );
    });
    return {
      status: 200,
      body: {
        type: file.model.type,
        instance_id: resident.identifier,
        load_time_seconds: (runtime.clock.now() - startedMs) / 1000,
        status: 'loaded',
        ...(request.echo_load_config === true ? { load_config: instanceConfig(resident) } : {}),
      },
    };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return loadFailure(error);
  }
}

const unloadSchema = z.object({ instance_id: z.string() });

/** `POST /api/v1/models/unload` */
export function unloadV1({ runtime }: Backend, body: unknown): HttpAnswer {
  const parsed = unloadSchema.safeParse(body);
  if (!parsed.success) {
    return httpError(400, 'invalid_request', "'instance_id' is required", {
      code: 'missing_required_parameter',
      param: 'instance_id',
    });
  }
  const { instance_id } = parsed.data;
  if (!runtime.residents.find(instance_id)) {
    return httpError(404, 'model_not_found', `Model instance "${instance_id}" not found`, {
      code: 'model_not_found',
      param: 'instance_id',
    });
  }
  runtime.residents.unload(instance_id);
  return { status: 200, body: { instance_id } };
}

// REST knows neither variant keys nor paths (lmstudio-bug-tracker #1462).
function findByKey({ runtime }: Backend, key: string): ModelOnDevice | null {
  return runtime.downloaded().find(({ modelKey }) => modelKey === key) ?? null;
}

// The text is that of lmstudio-bug-tracker #1462.
function modelNotFound(model: string): HttpAnswer {
  return httpError(404, 'model_not_found', `Model ${model} not found in downloaded models`, {
    code: 'model_not_found',
    param: 'model',
  });
}

function loadFailure(error: WireError): HttpAnswer {
  const { title, cause } = error.serialized;
  return httpError(500, 'model_load_failed', cause === undefined ? title : `${title} ${cause}`, {
    code: 'model_load_failed',
  });
}

function restFields(
  type: ModelDomain,
  request: z.infer<typeof loadSchema>,
): readonly ConfigField[] {
  const fields: readonly (readonly [string, unknown])[] = [
    [`${type}.load.contextLength`, request.context_length],
    ['llm.load.llama.evalBatchSize', request.eval_batch_size],
    ['llm.load.llama.flashAttention', request.flash_attention],
    ['llm.load.numExperts', request.num_experts],
    ['llm.load.offloadKVCacheToGpu', request.offload_kv_cache_to_gpu],
    ['llm.load.numParallelSessions', request.parallel],
  ];
  return fields.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
}

function instanceConfig({ domain, settings }: ResidentState): object {
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
