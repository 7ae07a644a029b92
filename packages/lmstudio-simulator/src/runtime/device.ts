import type { WorldMachine } from '../world/world-machine.js';
import type { WorldModel } from '../world/world-model.js';

/** A machine that can load models: the local machine (`identifier` is `null`), or a device of LM Link. */
export interface Device {
  readonly identifier: string | null;
  readonly name: string;
  readonly machine: WorldMachine;
  readonly models: readonly WorldModel[];
}

/** The models that the protocol can load. Each kind has a namespace of its own. */
export type ModelDomain = 'llm' | 'embedding';

/** A model file on a device: the variant that a key names, or the selected variant. */
export interface ModelOnDevice {
  readonly device: Device;
  readonly model: WorldModel;
  /** The model's key, or `KEY@variant` where a variant was named. */
  readonly modelKey: string;
  /** The file in the folder of models. */
  readonly filePath: string;
  readonly sizeBytes: number;
  readonly quantization: WorldModel['quantization'];
  /** The variant of this file; `null` for a model that is not from the hub. */
  readonly variantName: string | null;
  /** Whether `modelKey` names this variant. */
  readonly pinnedVariant: boolean;
}

/**
 * A model, or one of its variants, as `listDownloadedModels` shows it; `null` where the variant
 * does not exist.
 */
export function modelOnDevice(
  device: Device,
  model: WorldModel,
  variantName: string | null = null,
): ModelOnDevice | null {
  const variant =
    variantName === null
      ? (model.variants[0] ?? null)
      : (model.variants.find(({ name }) => name === variantName) ?? null);
  if (variantName !== null && variant === null) return null;
  return {
    device,
    model,
    modelKey: variantName === null ? model.modelKey : variantKey(model, variantName),
    filePath: variant?.path ?? model.path,
    sizeBytes: variant?.sizeBytes ?? model.sizeBytes,
    quantization: variant?.quantization ?? model.quantization,
    variantName: variant?.name ?? null,
    pinnedVariant: variantName !== null,
  };
}

/** The key of a model's variant. */
export function variantKey({ modelKey }: WorldModel, variantName: string): string {
  return `${modelKey}@${variantName}`;
}

/** The name of a model's format in LM Studio's answers over HTTP and in its errors. */
export function formatName({ format }: WorldModel): 'gguf' | 'mlx' {
  return format === 'gguf' ? 'gguf' : 'mlx';
}

/** Finds a model by its key, by `key@variant`, or by the path of its file. */
export function findOnDevice(device: Device, key: string): ModelOnDevice | null {
  for (const model of device.models) {
    if (model.modelKey === key) return modelOnDevice(device, model);
    const variant = model.variants.find(
      ({ name, path }) => variantKey(model, name) === key || path === key,
    );
    if (variant) return modelOnDevice(device, model, variant.name);
    if (model.variants.length === 0 && model.path === key) return modelOnDevice(device, model);
  }
  return null;
}

/** The namespace that loads a model; `null` for a type that the protocol cannot load. */
export function domainOf({ model }: ModelOnDevice): ModelDomain | null {
  return model.type === 'llm' || model.type === 'embedding' ? model.type : null;
}
