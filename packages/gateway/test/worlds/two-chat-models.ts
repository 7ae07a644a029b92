import type { HostOptions } from '@mai/host';
import type { WorldInput } from '@mai/lmstudio-simulator';

const GIB = 1024 ** 3;

/** A simulated LM Studio with a large and a small model. */
export const TWO_CHAT_MODELS_WORLD: WorldInput = {
  machine: { ramBytes: 32 * GIB, gpus: [] },
  models: [
    { modelKey: 'test/large', sizeBytes: 8 * GIB, maxContextLength: 32_768 },
    { modelKey: 'test/small', sizeBytes: 2 * GIB, maxContextLength: 32_768 },
  ],
  guardrails: { mode: 'off' },
};

/** The configuration for these models. */
export const TWO_CHAT_MODELS: NonNullable<HostOptions['config']> = {
  version: 1,
  models: [
    { key: 'test/large', category: 'large', context_window: 8192, capabilities: ['chat'] },
    { key: 'test/small', category: 'small', context_window: 8192, capabilities: ['chat'] },
  ],
  fallback_chains: { default: ['test/large', 'test/small'] },
};
