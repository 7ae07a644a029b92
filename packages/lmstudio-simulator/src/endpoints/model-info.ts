import type { ModelOnDevice } from '../runtime/device.js';
import type { ResidentState } from '../runtime/resident.js';
import type { Profile } from '../profile.js';

/** LM Studio's description of a model. An old LM Studio leaves out fields that SDK 2.0.0 requires. */
export function modelInfo(file: ModelOnDevice, profile: Profile): object {
  return { ...common(file, profile), ...kindFields(file) };
}

/** LM Studio's description of a loaded instance. */
export function instanceInfo(resident: ResidentState, profile: Profile): object {
  const { file, identifier, instanceReference, ttlMs, lastUsedMs, settings } = resident;
  return {
    ...common(file, profile),
    identifier,
    instanceReference,
    ...(profile.modern ? { ttlMs, lastUsedTime: lastUsedMs } : {}),
    ...kindFields(file),
    contextLength: settings.contextLengthTokens,
  };
}

function common(file: ModelOnDevice, profile: Profile): object {
  const { model, device } = file;
  const variants = model.variants.map(({ name }) => `${model.modelKey}@${name}`);
  return {
    type: model.type,
    modelKey: file.modelKey,
    format: model.format,
    displayName: model.displayName,
    ...(profile.modern ? { publisher: model.publisher } : {}),
    path: file.path,
    sizeBytes: file.sizeBytes,
    ...(profile.modern
      ? { indexedModelIdentifier: file.path, deviceIdentifier: device.identifier }
      : {}),
    ...(model.paramsString === null ? {} : { paramsString: model.paramsString }),
    ...(model.architecture === null ? {} : { architecture: model.architecture }),
    ...(file.quantization !== null ? { quantization: file.quantization } : {}),
    ...(profile.modern && variants.length > 0 && !file.pinnedVariant
      ? { variants, selectedVariant: variants[0] }
      : {}),
  };
}

function kindFields({ model }: ModelOnDevice): object {
  return model.type === 'llm'
    ? {
        vision: model.vision,
        trainedForToolUse: model.trainedForToolUse,
        maxContextLength: model.maxContextLength,
      }
    : { maxContextLength: model.maxContextLength };
}
