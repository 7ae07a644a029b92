import * as z from 'zod/mini';
import { HTTP_ENDPOINTS } from '../profile/http-api.js';
import { API_TOKEN } from './world.js';

const bytes = z.number().check(z.nonnegative());
const count = z.int().check(z.nonnegative());
const rate = z.number().check(z.positive());
const ratio = z.number().check(z.minimum(0), z.maximum(1));
const name = z.string().check(z.minLength(1));
const positive = z.int().check(z.positive());
const quantization = z.object({ name, bits: positive });

const machineSchema = z.strictObject({
  name: z.optional(name),
  platform: z.optional(z.enum(['linux', 'darwin', 'win32'])),
  cpuName: z.optional(name),
  architecture: z.optional(z.enum(['x86_64', 'ARM64'])),
  ramBytes: z.optional(bytes.check(z.positive())),
  othersRamBytes: z.optional(bytes),
  gpus: z.optional(
    z.array(
      z.strictObject({
        name,
        deviceKey: z.optional(name),
        memory: z.optional(z.enum(['dedicated', 'shared'])),
        totalBytes: bytes.check(z.positive()),
        othersBytes: z.optional(bytes),
        platform: z.optional(z.enum(['CUDA', 'ROCm', 'Vulkan', 'Metal'])),
      }),
    ),
  ),
  loadBytesPerSecond: z.optional(rate),
  promptTokensPerSecond: z.optional(rate),
});

const modelSchema = z.strictObject({
  modelKey: name,
  type: z.optional(name),
  displayName: z.optional(name),
  publisher: z.optional(name),
  path: z.optional(name),
  sizeBytes: positive,
  projectorBytes: z.optional(count),
  format: z.optional(z.enum(['gguf', 'safetensors'])),
  architecture: z.optional(z.nullable(name)),
  paramsString: z.optional(z.nullable(name)),
  quantization: z.optional(z.nullable(quantization)),
  maxContextLength: z.optional(count),
  vision: z.optional(z.boolean()),
  trainedForToolUse: z.optional(z.boolean()),
  variants: z.optional(
    z.array(z.strictObject({ name, sizeBytes: positive, quantization, path: name })),
  ),
  geometry: z.optional(
    z.strictObject({
      layers: z.optional(positive),
      kvHeads: z.optional(count),
      headDimension: z.optional(count),
      hiddenSize: z.optional(positive),
      vocabularySize: z.optional(count),
      slidingLayers: z.optional(count),
      slidingWindowTokens: z.optional(count),
      expertRatio: z.optional(ratio),
      attentionHeads: z.optional(positive),
      recurrentStateBytes: z.optional(count),
    }),
  ),
  tokensPerSecond: z.optional(rate),
});

const loadDefaultsSchema = z.strictObject({
  contextLengthTokens: z.optional(positive),
  parallelSequences: z.optional(positive),
  unifiedKvCache: z.optional(z.boolean()),
  evalBatchTokens: z.optional(positive),
  physicalBatchTokens: z.optional(positive),
  flashAttention: z.optional(z.boolean()),
  autoFit: z.optional(z.boolean()),
  contextCheckpoints: z.optional(count),
  promptCacheBytes: z.optional(count),
  slidingWindowCache: z.optional(z.enum(['window', 'full'])),
  embeddingBatchIsContext: z.optional(z.boolean()),
  logitRows: z.optional(z.enum(['batch', 'sequences'])),
});

/** The schema of a world file. Unknown keys are errors. */
export const worldSchema = z.strictObject({
  version: z.optional(z.nullable(name)),
  build: z.optional(z.nullable(count)),
  isDaemon: z.optional(z.boolean()),
  machine: z.optional(machineSchema),
  models: z.optional(z.array(modelSchema)),
  devices: z.optional(
    z.array(
      z.strictObject({
        deviceIdentifier: name,
        deviceName: z.optional(name),
        status: z.optional(z.enum(['connected', 'disconnected'])),
        machine: z.optional(machineSchema),
        models: z.optional(z.array(modelSchema)),
      }),
    ),
  ),
  deviceIdentifier: z.optional(z.nullable(name)),
  preferredDeviceIdentifier: z.optional(z.nullable(name)),
  tokens: z.optional(z.array(z.string().check(z.regex(API_TOKEN)))),
  requireToken: z.optional(z.boolean()),
  guardrails: z.optional(
    z.strictObject({
      mode: z.optional(z.enum(['off', 'low', 'medium', 'high', 'custom'])),
      customThresholdBytes: z.optional(z.nullable(bytes)),
      countsResidents: z.optional(z.boolean()),
      countsOthersRam: z.optional(z.boolean()),
      countsOthersVram: z.optional(z.boolean()),
    }),
  ),
  justInTime: z.optional(
    z.strictObject({
      enabled: z.optional(z.boolean()),
      ttlMs: z.optional(positive),
      autoEvict: z.optional(z.boolean()),
    }),
  ),
  defaultContextLength: z.optional(z.nullable(positive)),
  loadDefaults: z.optional(loadDefaultsSchema),
  loadAfterDisconnect: z.optional(z.enum(['continue', 'cancel'])),
  loadAfterCancel: z.optional(z.enum(['continue', 'cancel'])),
  cancelConfirmationMs: z.optional(z.number().check(z.nonnegative())),
  instanceKey: z.optional(z.enum(['model', 'variant'])),
  variantKeysLoad: z.optional(z.boolean()),
  authenticator: z.optional(z.enum(['lm-studio', 'first-come'])),
  presets: z.optional(z.array(z.strictObject({ identifier: name, name }))),
  httpServer: z.optional(z.boolean()),
  httpEndpoints: z.optional(z.partialRecord(z.enum(HTTP_ENDPOINTS), z.boolean())),
  answers: z.optional(
    z.strictObject({
      textTokens: z.optional(z.nullable(positive)),
      reasoningTokens: z.optional(count),
      callTools: z.optional(z.boolean()),
    }),
  ),
});
