import type { Confidence } from '@mai/memory-ledger';
import type { ModelIndex } from '../architecture/model-index.js';
import type { SettledMemory } from '../memory/load-memory.js';
import { isComparedLoad } from '../memory/model-memory.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import type { LoadPlan } from '../load/plan-load.js';

const ENGINE_NAMES: Readonly<Record<EngineProfile['engine'], string>> = {
  'llama.cpp': 'llama.cpp',
  lmstudio: 'LM Studio',
  embedded: 'the embedded engine',
};

/** How far an estimate can be trusted. */
export function confidenceOf(
  index: ModelIndex,
  { settings, environment }: LoadPlan,
  memory: SettledMemory,
): Confidence {
  const { model } = index;
  if (model === null || !model.architecture.known || memory.compute === 'rough') return 'low';
  if (!index.consistent || !index.allWeights) return 'low';
  if (memory.compute === 'guessed' || !environment.profile.isCompared) return 'medium';
  return isComparedLoad(settings, memory.gpus.length) ? 'high' : 'medium';
}

/** Sentences about the omissions and assumptions of an estimate. */
export function notesOf(
  index: ModelIndex,
  { settings, isCertain, environment }: LoadPlan,
  memory: SettledMemory,
): string[] {
  const { header, model } = index;
  const { visionProjector, profile } = environment;
  const notes: string[] = [];
  if (model === null)
    notes.push('The header does not describe the layers, so only the weights are counted.');
  else if (!model.architecture.known)
    notes.push(
      `The architecture ${model.architecture.name || '(none)'} is unknown, so its cache is counted as plain attention${model.architecture.memory === 'hybrid' ? ' in the layers that are not recurrent by its metadata' : ''}.`,
    );
  if (model !== null && memory.compute !== 'simulated')
    notes.push(
      'The graph of this architecture is unknown, so the compute buffers are approximate.',
    );
  if (model !== null && !index.consistent)
    notes.push(
      'The metadata contradicts the tensors, so llama.cpp refuses to load the model. Only the weights are certain.',
    );
  if (!index.allWeights)
    notes.push('Tensors are missing or of an unknown type, so the weights may be larger.');
  if (!header.complete) notes.push('The file is incomplete, so it cannot be loaded.');
  if (visionProjector !== null && !hasEncoder(memory))
    notes.push('The compute buffers of the vision projector are not counted.');
  if (!isCertain)
    notes.push(
      `Some defaults of ${ENGINE_NAMES[profile.engine]} ${profile.factsVersion} are not known, so the interval covers all possible values.`,
    );
  const trained = model?.trainedContext ?? null;
  if (trained !== null && settings.contextLengthTokens > trained)
    notes.push(`The context is longer than the ${trained} tokens that the model was trained for.`);
  return notes;
}

function hasEncoder({ ram, gpus }: SettledMemory): boolean {
  return [ram, ...gpus].some(({ visionEncoderBytes }) => visionEncoderBytes > 0);
}
