import * as z from 'zod/mini';
import type { Backend } from '../../runtime/backend.js';
import { embed } from '../../predicting/embedding.js';
import type { Exchange } from '../exchange.js';
import { findInstance } from '../generation/find-instance.js';
import { checkBody, modelFields } from '../generation/read-parts.js';
import { predictionUnloaded } from '../generation/request-failure.js';

const embeddingSchema = z.object({
  ...modelFields,
  input: z.union([z.string(), z.array(z.string())]),
});

/**
 * `POST /v1/embeddings` and `POST /api/v0/embeddings`. From documentation: the body, and a usage of zero tokens.
 * Captured: numbers in spite of `encoding_format: base64` (lmstudio-bug-tracker #756).
 */
export async function embeddings(backend: Backend, exchange: Exchange): Promise<void> {
  const request = checkBody(embeddingSchema, exchange.body);
  const resident = await findInstance(backend, exchange, 'embedding', {
    model: request.model ?? null,
    ttlSeconds: request.ttl ?? null,
  });
  let isGone = false;
  exchange.onClientGone(() => (isGone = true));
  const data: object[] = [];
  for (const text of typeof request.input === 'string' ? [request.input] : request.input) {
    if (isGone) return;
    const embedding = await embed(backend.runtime, resident, text);
    if (embedding === null) throw predictionUnloaded();
    data.push({ object: 'embedding', embedding, index: data.length });
  }
  exchange.send({
    status: 200,
    body: {
      object: 'list',
      data,
      model: resident.identifier,
      usage: { prompt_tokens: 0, total_tokens: 0 },
    },
  });
}
