import type { WorldMachine, WorldModel } from '../world/world.js';

/** A machine that can hold models: the local one (identifier null) or one behind LM Link. */
export interface Device {
  readonly identifier: string | null;
  readonly name: string;
  readonly machine: WorldMachine;
  readonly models: readonly WorldModel[];
}

/** A model file on a device, with the variant that a key names or that is selected. */
export interface ModelOnDevice {
  readonly device: Device;
  readonly model: WorldModel;
  readonly modelKey: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly quantization: WorldModel['quantization'];
  /** True where `modelKey` names this one variant. */
  readonly pinnedVariant: boolean;
}

/** A model as `listDownloadedModels` shows it, or one of its variants. */
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
    modelKey: variantName === null ? model.modelKey : `${model.modelKey}@${variantName}`,
    path: variant?.path ?? model.path,
    sizeBytes: variant?.sizeBytes ?? model.sizeBytes,
    quantization: variant?.quantization ?? model.quantization,
    pinnedVariant: variantName !== null,
  };
}

/** Finds what a client means: a model key, `key@variant`, or the path of a file. */
export function findOnDevice(device: Device, key: string): ModelOnDevice | null {
  for (const model of device.models) {
    if (model.modelKey === key) return modelOnDevice(device, model);
    const variant = model.variants.find(
      ({ name, path }) => `${model.modelKey}@${name}` === key || path === key,
    );
    if (variant) return modelOnDevice(device, model, variant.name);
    if (model.path === key) return modelOnDevice(device, model);
  }
  return null;
}
