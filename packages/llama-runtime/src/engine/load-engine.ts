import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EngineFacts, EngineSpec, EngineState } from '../process/messages.js';
import { readChatTemplates } from './prompts/chat-templates.js';
import { contextOptionsOf, slotsOf, stepTokensOf } from './context-options.js';
import { EngineLog } from './engine-log.js';
import { Engine } from './engine.js';
import { loadBinding, type LlamaContext } from './llama-door.js';
import { removeAbandonedStates } from './queue/slot-state.js';
import { filesOfModel, readModelFiles } from './read-model-file.js';
import { readSpecialTokens } from './prompts/special-tokens.js';

/** Time in which the lines of llama.cpp's log arrive after a load: they are queued for this thread meanwhile. */
const LOG_DELAY_MS = 20;

/** A projector that llama.cpp refuses. The binding gives no reason; the error output of this process has it. */
export class ProjectorError extends Error {}

/**
 * Loads a model. The main thread is blocked while llama.cpp loads it.
 *
 * @param onProgress - gets the share of the files that was read, 0 to 1
 * @throws Error with a plain message where the binding is missing, or a file cannot be read; ProjectorError
 */
export async function loadEngine(
  spec: EngineSpec,
  onProgress: (ratio: number) => void,
  onState: (state: EngineState) => void,
): Promise<Engine> {
  const binding = loadBinding(spec.gpuLayers > 0);
  if ('reason' in binding) throw new Error(binding.reason);
  const projector = spec.projectorFile === null ? [] : [spec.projectorFile];
  await readModelFiles([...filesOfModel(spec.file), ...projector], onProgress);
  const { LlamaContext } = binding;
  const log = new EngineLog();
  LlamaContext.toggleNativeLog(true, (_level, text) => log.append(text));
  const context = new LlamaContext(contextOptionsOf(spec));
  if (spec.projectorFile !== null) loadProjector(context, spec.projectorFile, spec.gpuLayers > 0);
  const slots = { n_parallel: slotsOf(spec), n_batch: stepTokensOf(spec) };
  if (!context.enableParallelMode(slots)) throw new Error('llama.cpp refused the parallel mode');
  await delay(LOG_DELAY_MS);
  log.close();
  LlamaContext.toggleNativeLog(false, () => undefined);
  removeAbandonedStates();
  const details = {
    templates: await readChatTemplates(LlamaContext, context, spec.file),
    special: readSpecialTokens(context, log.endTokens),
    keepsCache: spec.kind === 'llm' && slotsOf(spec) === 1 && log.hasAttentionOnly,
  };
  return new Engine(context, spec, factsOf(context, spec, log), details, onState);
}

function loadProjector(context: LlamaContext, file: string, usesGpu: boolean): void {
  try {
    context.initMultimodal({ path: file, use_gpu: usesGpu });
  } catch (cause) {
    throw new ProjectorError(`its projector ${path.basename(file)} cannot be loaded`, { cause });
  }
}

function factsOf(context: LlamaContext, spec: EngineSpec, log: EngineLog): EngineFacts {
  const { chatTemplates } = context.getModelInfo();
  const { defaultCaps, toolUseCaps } = chatTemplates.jinja;
  const cells = log.contextTokens ?? spec.contextLengthTokens * slotsOf(spec);
  return {
    contextLengthTokens: Math.floor(cells / slotsOf(spec)),
    flashAttention: log.flashAttention,
    vision: spec.projectorFile !== null && context.getMultimodalSupport().vision,
    toolUse: defaultCaps.tools || toolUseCaps?.tools === true,
    bufferLines: log.bufferLines,
  };
}
