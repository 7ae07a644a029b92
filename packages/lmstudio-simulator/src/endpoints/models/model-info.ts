import { type ModelOnDevice, variantKey } from '../../runtime/device.js';
import type { ResidentState } from '../../runtime/resident.js';
import type { Profile } from '../../profile/profile.js';

/** LM Studio's description of a model. An old LM Studio leaves out fields that SDK 2.0.0 requires. */
export function modelInfo(file: ModelOnDevice, profile: Profile): object {
  return { ...common(file, profile), ...kindFields(file) };
}

/** LM Studio's description of a loaded instance. */
export function instanceInfo(
  resident: ResidentState,
  profile: Profile,
  lastUsedTime: number | null = resident.lastUsedMs,
): object {
  const { file, identifier, instanceReference, ttlMs, settings } = resident;
  return {
    ...common(reportedFile(resident), profile),
    identifier,
    instanceReference,
    ...(profile.modern ? { ttlMs, lastUsedTime } : {}),
    ...kindFields(file),
    contextLength: settings.contextLengthTokens,
  };
}

// The file as the instance reports it. The variant is named in `modelKey`, or in `selectedVariant`.
function reportedFile({ file, reportsVariant }: ResidentState): ModelOnDevice {
  const { model, variantName } = file;
  const pinnedVariant = reportsVariant && variantName !== null;
  const modelKey = pinnedVariant ? variantKey(model, variantName) : model.modelKey;
  return { ...file, modelKey, pinnedVariant };
}

function common(file: ModelOnDevice, profile: Profile): object {
  const { model, device } = file;
  return {
    type: model.type,
    modelKey: file.modelKey,
    format: model.format,
    displayName: model.displayName,
    ...(profile.modern ? { publisher: model.publisher } : {}),
    // Invented for a variant: no capture shows the `path` of a variant.
    path: profile.modern && file.variantName !== null ? model.modelKey : file.filePath,
    sizeBytes: file.sizeBytes,
    ...(profile.modern
      ? { indexedModelIdentifier: indexedIdentifier(file), deviceIdentifier: device.identifier }
      : {}),
    ...(model.paramsString === null ? {} : { paramsString: model.paramsString }),
    ...(model.architecture === null ? {} : { architecture: model.architecture }),
    ...(file.quantization !== null ? { quantization: file.quantization } : {}),
    ...(profile.modern && file.variantName !== null && !file.pinnedVariant
      ? {
          variants: model.variants.map(({ name }) => variantKey(model, name)),
          selectedVariant: variantKey(model, file.variantName),
        }
      : {}),
  };
}

// Captured: a hub model has its key as `indexedModelIdentifier`, its variant `key@path`, and any other file its
// path.
function indexedIdentifier({ model, filePath, variantName, pinnedVariant }: ModelOnDevice): string {
  if (variantName === null) return filePath;
  return pinnedVariant ? `${model.modelKey}@${filePath}` : model.modelKey;
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
