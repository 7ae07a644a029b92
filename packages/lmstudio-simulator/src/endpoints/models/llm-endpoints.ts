import * as z from 'zod/mini';
import { FIXED_ANSWER } from '../../predicting/answer.js';
import { startPrediction } from '../../predicting/prediction.js';
import type { PredictionRequest } from '../../predicting/prediction.js';
import type { ResidentState } from '../../runtime/resident.js';
import type { Backend } from '../../runtime/backend.js';
import { resolveSpecifier } from './resolve-specifier.js';
import type { Endpoint, ServerChannel } from '../../wire/endpoint.js';
import { channel, rpc } from '../../wire/endpoint.js';
import {
  cancelSchema,
  configStackSchema,
  flattenStack,
  specifierSchema,
} from '../../wire/frames.js';
import type { ConfigField, ConfigStack, ModelSpecifier } from '../../wire/frames.js';
import { instanceInfo } from './model-info.js';
import { engineEnded, presetNotFound } from '../../wire/wire-error.js';

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
  return [
    [
      'predict',
      channel(
        z.object({
          modelSpecifier: specifierSchema,
          history: historySchema,
          predictionConfigStack: configStackSchema,
          fuzzyPresetIdentifier: z.optional(z.string()),
        }),
        cancelSchema,
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
          fuzzyPresetIdentifier: z.optional(z.string()),
        }),
        cancelSchema,
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
      'preloadDraftModel',
      rpc(z.object({ specifier: specifierSchema, draftModelKey: z.string() }), (request) => {
        resolveSpecifier(backend, 'llm', request.specifier);
        runtime.findModel(request.draftModelKey, 'llm', undefined);
      }),
    ],
  ];
}

interface PredictParameter {
  readonly modelSpecifier: ModelSpecifier;
  readonly prompt: string;
  readonly predictionConfigStack: ConfigStack;
  readonly fuzzyPresetIdentifier?: string | undefined;
}

function predict(
  backend: Backend,
  parameter: PredictParameter,
  serverChannel: ServerChannel,
): void {
  const { runtime } = backend;
  const resident = resolveSpecifier(backend, 'llm', parameter.modelSpecifier);
  const fields = flattenStack(parameter.predictionConfigStack);
  assertPreset(backend, parameter.fuzzyPresetIdentifier);
  const request = readRequest(backend, resident, parameter.prompt, fields);
  const stop = startPrediction(runtime, resident, request, {
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
    text: (content, tokensCount) =>
      serverChannel.send({
        type: 'fragment',
        fragment: {
          content,
          tokensCount,
          containsDrafted: request.draftModelKey !== null,
          reasoningType: 'none',
          isStructural: false,
        },
      }),
    finished(stats) {
      if (resident.crashExitCode !== null) {
        serverChannel.error(engineEnded(resident.crashExitCode).serialized);
        return;
      }
      serverChannel.send({
        type: 'success',
        stats,
        // LM Studio leaves out the time of the last use in this message.
        modelInfo: instanceInfo(resident, runtime.profile, null),
        loadModelConfig: { fields: resident.fields },
        predictionConfig: { fields },
      });
      serverChannel.close();
    },
  });
  serverChannel.onMessage(stop);
  serverChannel.onDisconnect(stop);
}

// LM Studio finds a preset by a part of its identifier, too. Its rule is not published, so here the
// identifier must match without regard to case.
function assertPreset({ runtime }: Backend, identifier: string | undefined): void {
  if (identifier === undefined) return;
  const { presets } = runtime.world;
  const wanted = identifier.toLowerCase();
  const isKnown = presets.some((preset) => preset.identifier.toLowerCase() === wanted);
  if (!isKnown) throw presetNotFound(identifier, presets);
}

const limitSchema = z.object({ checked: z.literal(true), value: z.int() });
const policySchema = z.enum(['stopAtLimit', 'truncateMiddle', 'rollingWindow']);

function readRequest(
  { runtime }: Backend,
  resident: ResidentState,
  prompt: string,
  fields: readonly ConfigField[],
): PredictionRequest {
  const value = (key: string): unknown =>
    fields.find((field) => field.key === `llm.prediction.${key}`)?.value;
  const limit = limitSchema.safeParse(value('maxPredictedTokens'));
  const policy = policySchema.safeParse(value('contextOverflowPolicy'));
  const stopStrings = z.array(z.string()).safeParse(value('stopStrings'));
  const draft = z.string().safeParse(value('speculativeDecoding.draftModel'));
  const draftKey = draft.success && draft.data !== '' ? draft.data : null;
  const draftModel =
    draftKey === null ? null : runtime.findModel(draftKey, 'llm', resident.file.device.identifier);
  return {
    prompt,
    imageCount: 0,
    answer: FIXED_ANSWER,
    repeatsAnswer: limit.success,
    maxTokens: limit.success ? limit.data.value : null,
    stopStrings: stopStrings.success ? stopStrings.data : [],
    // The default of LM Studio's schema.
    overflowPolicy: policy.success ? policy.data : 'truncateMiddle',
    draftModelKey: draftModel?.modelKey ?? null,
    finishesPrompt: false,
  };
}

function flattenHistory(history: z.infer<typeof historySchema>): string {
  return history.messages
    .map(({ role, content }) => `${role}: ${content.map((part) => part.text ?? '').join('')}`)
    .join('\n');
}
