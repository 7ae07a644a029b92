import { indexModel } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { checkFigures, type SettingsProblem } from '../settings/check-figures.js';
import { resolveSettings } from './choose-settings.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import { LLAMA_CPP_PROFILE } from '../profile/llama-cpp-profile.js';
import type { EstimateSettings } from '../settings/estimate-settings.js';
import { refusals } from './refusals.js';

/**
 * Finds the settings that llama.cpp refuses with any amount of memory.
 *
 * @param header With a header, also finds settings that llama.cpp refuses for this model only, such as cache types
 * whose blocks do not fill the model's heads.
 * @param profile The defaults of the engine for settings that are not given. Default: those of llama.cpp.
 */
export function checkEstimateSettings(
  settings: EstimateSettings,
  header: GgufHeader | null = null,
  profile: EngineProfile = LLAMA_CPP_PROFILE,
): readonly SettingsProblem[] {
  const problems = checkFigures(settings);
  if (problems.length > 0) return problems;
  const resolved = resolveSettings(settings, profile);
  if (resolved.gpuBackend === 'none' && resolved.gpuLayers > 0)
    problems.push({
      setting: 'gpuLayers',
      message: 'Layers on a GPU need a GPU back end. Choose cuda, metal or vulkan.',
    });
  const model = header === null ? null : indexModel(header).model;
  return [...problems, ...refusals(model, resolved)];
}
