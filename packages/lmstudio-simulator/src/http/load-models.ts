import * as z from 'zod/mini';
import { domainOf } from '../runtime/device.js';
import type { ModelDomain } from '../runtime/device.js';
import type { ConfigField } from '../wire/frames.js';
import { startLoad } from '../loading/load.js';
import type { ResidentState } from '../runtime/resident.js';
import type { Backend } from '../runtime/backend.js';
import { WireError } from '../wire/wire-error.js';
import { findByKey } from './generation/find-instance.js';
import { RequestFailure } from './generation/request-failure.js';
import type { HttpAnswer } from './exchange.js';
import { instanceConfig } from './list-models.js';

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

/** `POST /api/v1/models/load`. The answer is sent when the model is loaded. @throws RequestFailure where the load fails. */
export async function loadV1(
  backend: Backend,
  body: unknown,
  dropConnection: () => void,
): Promise<HttpAnswer> {
  const { runtime } = backend;
  const parsed = loadSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new RequestFailure(400, issue?.message ?? 'Invalid request', {
      type: 'invalid_request',
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
    throw loadFailure(error);
  }
}

const unloadSchema = z.object({ instance_id: z.string() });

/** `POST /api/v1/models/unload`. @throws RequestFailure where no instance has the identifier. */
export function unloadV1({ runtime }: Backend, body: unknown): object {
  const parsed = unloadSchema.safeParse(body);
  if (!parsed.success) {
    throw new RequestFailure(400, "'instance_id' is required", {
      type: 'invalid_request',
      param: 'instance_id',
      code: 'missing_required_parameter',
    });
  }
  const { instance_id } = parsed.data;
  if (!runtime.residents.find(instance_id)) {
    throw new RequestFailure(404, `Model instance "${instance_id}" not found`, {
      type: 'model_not_found',
      param: 'instance_id',
      code: 'model_not_found',
    });
  }
  runtime.residents.unload(instance_id);
  return { instance_id };
}

// The body that lmstudio-bug-tracker #1462 shows.
function modelNotFound(model: string): HttpAnswer {
  const message = `Model ${model} not found in downloaded models`;
  return { status: 404, body: { error: { type: 'model_not_found', message } } };
}

function loadFailure(error: WireError): RequestFailure {
  const { title, cause } = error.serialized;
  return new RequestFailure(500, cause === undefined ? title : `${title} ${cause}`, {
    type: 'model_load_failed',
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
