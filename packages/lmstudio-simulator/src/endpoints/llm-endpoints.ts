import * as z from 'zod/mini';
import { countTokens, startPrediction, tokenize } from '../runtime/prediction.js';
import type { Backend } from './backend.js';
import { resolveSpecifier } from './backend.js';
import type { Endpoint, ServerChannel } from '../wire/endpoint.js';
import { channel, rpc } from '../wire/endpoint.js';
import { configStackSchema, flattenStack, specifierSchema } from '../wire/frames.js';
import type { ConfigStack, ModelSpecifier } from '../wire/frames.js';
import { instanceInfo } from './model-info.js';

const historySchema = z.object({
  messages: z.array(
    z.object({
      role: z.string(),
      content: z.array(z.object({ type: z.string(), text: z.optional(z.string()) })),
    }),
  ),
});

/** The endpoints that only the namespace `llm` has. */
export function llmEndpoints(backend: Backend): readonly (readonly [string, Endpoint])[] {
  const { runtime } = backend;
  const text = z.object({ specifier: specifierSchema, inputString: z.string() });
  return [
    [
      'predict',
      channel(
        z.object({
          modelSpecifier: specifierSchema,
          history: historySchema,
          predictionConfigStack: configStackSchema,
        }),
        (request, serverChannel) =>
          predict(backend, { ...request, prompt: flattenHistory(request.history) }, serverChannel),
      ),
    ],
    [
      'completeRawText',
      channel(
        z.object({
          modelSpecifier: specifierSchema,
          rawPrompt: z.string(),
          predictionConfigStack: configStackSchema,
        }),
        (request, serverChannel) =>
          predict(backend, { ...request, prompt: request.rawPrompt }, serverChannel),
      ),
    ],
    [
      'applyPromptTemplate',
      rpc(z.object({ specifier: specifierSchema, history: historySchema }), (request) => {
        resolveSpecifier(backend, 'llm', request.specifier);
        return { formatted: flattenHistory(request.history) };
      }),
    ],
    [
      'tokenize',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, 'llm', specifier);
        return { tokens: tokenize(inputString) };
      }),
    ],
    [
      'countTokens',
      rpc(text, ({ specifier, inputString }) => {
        resolveSpecifier(backend, 'llm', specifier);
        return { tokenCount: countTokens(inputString) };
      }),
    ],
    [
      'preloadDraftModel',
      rpc(z.object({ specifier: specifierSchema, draftModelKey: z.string() }), (request) => {
        resolveSpecifier(backend, 'llm', request.specifier);
        runtime.findModel(request.draftModelKey, 'llm', undefined);
      }),
    ],
  ];
}

interface PredictionRequest {
  readonly modelSpecifier: ModelSpecifier;
  readonly prompt: string;
  readonly predictionConfigStack: ConfigStack;
}

function predict(backend: Backend, request: PredictionRequest, serverChannel: ServerChannel): void {
  const { runtime, profile } = backend;
  const resident = resolveSpecifier(backend, 'llm', request.modelSpecifier);
  const fields = flattenStack(request.predictionConfigStack);
  const limit = z
    .object({ checked: z.literal(true), value: z.int() })
    .safeParse(fields.find(({ key }) => key === 'llm.prediction.maxPredictedTokens')?.value);
  const stop = startPrediction(
    runtime,
    resident,
    {
      promptTokens: countTokens(request.prompt),
      maxTokens: limit.success ? limit.data.value : null,
    },
    {
      promptProgress: (processed, total) =>
        serverChannel.send({
          type: 'promptProcessingProgress',
          progress: total > 0 ? processed / total : 1,
          details: {
            cachedTokenCount: 0,
            totalPromptTokenCount: total,
            processedPromptTokenCount: processed,
            unprocessedPromptTokenCount: total - processed,
          },
        }),
      token: (content) =>
        serverChannel.send({
          type: 'fragment',
          fragment: {
            content,
            tokensCount: 1,
            containsDrafted: false,
            reasoningType: 'none',
            isStructural: false,
          },
        }),
      finished(stats) {
        serverChannel.send({
          type: 'success',
          stats,
          modelInfo: instanceInfo(resident, profile),
          loadModelConfig: { fields: resident.fields },
          predictionConfig: { fields },
        });
        serverChannel.close();
      },
    },
  );
  serverChannel.onMessage((message) => {
    if (z.object({ type: z.literal('cancel') }).safeParse(message).success) stop();
  });
  serverChannel.onDisconnect(stop);
}

function flattenHistory(history: z.infer<typeof historySchema>): string {
  return history.messages
    .map(({ role, content }) => `${role}: ${content.map((part) => part.text ?? '').join('')}`)
    .join('\n');
}
