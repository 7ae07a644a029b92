import * as z from 'zod/mini';
import { findProblems } from '../check-shape.js';
import { SimulatorError } from '../simulator-error.js';
import { HTTP_ENDPOINTS } from '../profile/http-api.js';
import { DEFAULT_GUARDRAILS, DEFAULT_MACHINE } from './default-machine.js';
import { DEFAULT_MODELS } from './default-models.js';
import type {
  World,
  WorldGpu,
  WorldGpuInput,
  WorldInput,
  WorldMachine,
  WorldMachineInput,
  WorldModel,
  WorldModelInput,
} from './world.js';

const bytes = z.number().check(z.nonnegative());
const count = z.int().check(z.nonnegative());
const rate = z.number().check(z.positive());
const ratio = z.number().check(z.minimum(0), z.maximum(1));
const name = z.string().check(z.minLength(1));
const sizeBytes = z.int().check(z.positive());
const quantization = z.object({ name, bits: z.int().check(z.positive()) });

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
  sizeBytes,
  projectorBytes: z.optional(count),
  format: z.optional(z.enum(['gguf', 'safetensors'])),
  architecture: z.optional(z.nullable(name)),
  paramsString: z.optional(z.nullable(name)),
  quantization: z.optional(z.nullable(quantization)),
  maxContextLength: z.optional(count),
  vision: z.optional(z.boolean()),
  trainedForToolUse: z.optional(z.boolean()),
  variants: z.optional(z.array(z.strictObject({ name, sizeBytes, quantization, path: name }))),
  geometry: z.optional(
    z.strictObject({
      layers: z.optional(z.int().check(z.positive())),
      kvHeads: z.optional(count),
      headDimension: z.optional(count),
      hiddenSize: z.optional(z.int().check(z.positive())),
      vocabularySize: z.optional(count),
      slidingLayers: z.optional(count),
      slidingWindowTokens: z.optional(count),
      expertRatio: z.optional(ratio),
      attentionHeads: z.optional(z.int().check(z.positive())),
      recurrentStateBytes: z.optional(count),
    }),
  ),
  tokensPerSecond: z.optional(rate),
});

const positive = z.int().check(z.positive());
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

const worldSchema = z.strictObject({
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
  tokens: z.optional(z.array(z.string().check(z.regex(/^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/)))),
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
      ttlMs: z.optional(z.int().check(z.positive())),
      autoEvict: z.optional(z.boolean()),
    }),
  ),
  defaultContextLength: z.optional(z.nullable(z.int().check(z.positive()))),
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

/**
 * Checks a world and adds the defaults of the fields that it leaves out.
 *
 * @param input - a {@link WorldInput}, for example parsed JSON. Default: `desktop`, see `exampleWorld`.
 * @throws SimulatorError `WORLD_INVALID` with every problem in `issues`.
 */
export function parseWorld(input: unknown = {}): World {
  assertWorld(input);
  const world = input;
  return {
    version: world.version ?? null,
    build: world.build ?? null,
    isDaemon: world.isDaemon ?? false,
    machine: completeMachine(world.machine ?? {}),
    models: (world.models ?? DEFAULT_MODELS).map(completeModel),
    devices: (world.devices ?? []).map((device) => ({
      deviceIdentifier: device.deviceIdentifier,
      deviceName: device.deviceName ?? device.deviceIdentifier,
      status: device.status ?? 'connected',
      machine: completeMachine(device.machine ?? {}),
      models: (device.models ?? []).map(completeModel),
    })),
    deviceIdentifier:
      world.deviceIdentifier ?? ((world.devices ?? []).length > 0 ? 'simulated-local' : null),
    preferredDeviceIdentifier: world.preferredDeviceIdentifier ?? null,
    tokens: world.tokens ?? [],
    requireToken: world.requireToken ?? false,
    guardrails: { ...DEFAULT_GUARDRAILS, ...world.guardrails },
    // LM Studio gives an hour to models that it loads just in time.
    justInTime: { enabled: true, ttlMs: 3_600_000, autoEvict: true, ...world.justInTime },
    defaultContextLength: world.defaultContextLength ?? null,
    loadDefaults: world.loadDefaults ?? {},
    loadAfterDisconnect: world.loadAfterDisconnect ?? 'continue',
    loadAfterCancel: world.loadAfterCancel ?? 'cancel',
    cancelConfirmationMs: world.cancelConfirmationMs ?? 50,
    instanceKey: world.instanceKey ?? 'model',
    variantKeysLoad: world.variantKeysLoad ?? true,
    authenticator: world.authenticator ?? 'lm-studio',
    presets: world.presets ?? [],
    httpServer: world.httpServer ?? true,
    httpEndpoints: world.httpEndpoints ?? {},
    answers: { textTokens: null, reasoningTokens: 0, callTools: false, ...world.answers },
  };
}

function assertWorld(input: unknown): asserts input is WorldInput {
  const issues = findProblems(worldSchema, input, 'world');
  if (issues.length === 0) return;
  const message = `The world is not valid. Correct these fields:\n  ${issues.join('\n  ')}`;
  throw new SimulatorError('WORLD_INVALID', message, { issues });
}

function completeMachine(input: WorldMachineInput): WorldMachine {
  const machine = { ...DEFAULT_MACHINE, ...input };
  return { ...machine, gpus: machine.gpus.map(completeGpu) };
}

function completeGpu(input: WorldGpuInput, index: number): WorldGpu {
  return {
    deviceKey: `survey:${index}`,
    memory: 'dedicated',
    othersBytes: 0,
    platform: 'CUDA',
    ...input,
  };
}

function completeModel(input: WorldModelInput): WorldModel {
  const shortName = input.modelKey.split('/').at(-1) ?? input.modelKey;
  const publisher = input.publisher ?? input.modelKey.split('/').at(-2) ?? 'unknown';
  const { hiddenSize = 4096, headDimension = 128 } = input.geometry ?? {};
  return {
    type: 'llm',
    displayName: shortName,
    publisher,
    path: `${publisher}/${shortName}-GGUF/${shortName}.gguf`,
    format: 'gguf',
    architecture: null,
    paramsString: null,
    quantization: { name: 'Q4_K_M', bits: 4 },
    maxContextLength: 32_768,
    vision: false,
    projectorBytes: 0,
    trainedForToolUse: false,
    variants: [],
    tokensPerSecond: 50,
    ...input,
    geometry: {
      layers: 32,
      kvHeads: 8,
      headDimension,
      hiddenSize,
      vocabularySize: 128_256,
      slidingLayers: 0,
      slidingWindowTokens: 0,
      expertRatio: 0,
      attentionHeads: Math.max(1, Math.round(hiddenSize / Math.max(1, headDimension))),
      recurrentStateBytes: 0,
      ...input.geometry,
    },
  };
}
