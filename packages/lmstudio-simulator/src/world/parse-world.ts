import { findProblems } from '../check-shape.js';
import { SimulatorError } from '../simulator-error.js';
import { DEFAULT_GUARDRAILS, DEFAULT_MACHINE } from './default-machine.js';
import { DEFAULT_MODELS } from './default-models.js';
import type { World } from './world.js';
import type { WorldGpu, WorldMachine } from './world-machine.js';
import type { WorldModel } from './world-model.js';
import type {
  WorldGpuInput,
  WorldInput,
  WorldMachineInput,
  WorldModelInput,
} from './world-input.js';
import { worldSchema } from './world-schema.js';

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
    // The path of an MLX model is a folder.
    path:
      input.format === 'safetensors'
        ? `${publisher}/${shortName}-MLX`
        : `${publisher}/${shortName}-GGUF/${shortName}.gguf`,
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
