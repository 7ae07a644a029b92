import type { ServingCatalog } from '../ports/serving-port.js';

export type RuntimeName = ServingCatalog['runtime'];

/** The name of a runtime at the start of a sentence. Null: the models of the machine could not be read yet. */
export function runtimeName(runtime: RuntimeName | null): string {
  if (runtime === null) return 'The runtime';
  return runtime === 'lmstudio' ? 'LM Studio' : 'The embedded engine';
}

/** How to find out why a runtime does not answer. */
export function checkRuntime(runtime: RuntimeName | null): string {
  if (runtime === 'lmstudio') return 'Check with "mai status" that LM Studio and its server run';
  if (runtime === 'embedded') return 'Check the embedded engine with "mai doctor"';
  return 'Check with "mai status" that the runtime runs';
}

/** How to get a model. */
export function getModel(runtime: RuntimeName | null): string {
  return runtime === 'embedded'
    ? 'Name a folder that has GGUF files as model_folders in models.yaml, or with --models; "mai models" lists what was found'
    : 'Get one in LM Studio, for example with: lms get qwen/qwen3-4b';
}
