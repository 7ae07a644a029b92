import { findModel } from '../models/find-model.js';
import { listDownloaded } from '../models/list-downloaded.js';
import { baseKeyOf, refersTo } from '@mai/memory-ledger';
import type { ModelListing, ResidentInstance } from '../models/model-types.js';
import type { Connection } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import type { ModelKind } from '../wire/wire.js';

/** The model and the machine of a load or an estimate. */
export interface Target {
  readonly kind: ModelKind;
  /** The key that is sent to LM Studio. */
  readonly wireKey: string;
  /** Key of the variant that LM Studio loads, or the model key where the variant is not known. */
  readonly loads: string;
  /** The caller named another variant than the selected one. LM Studio may refuse its key. */
  readonly otherVariant: boolean;
  /** `null`: LM Studio's own machine. */
  readonly deviceIdentifier: string | null;
  /** The downloaded models; `null`: the list was not needed. */
  readonly listing: ModelListing | null;
}

/** The part of a request that names its model and machine. */
export interface AskedModel {
  readonly modelKey: string;
  readonly kind: ModelKind | null;
  readonly deviceIdentifier: string | null | undefined;
}

/**
 * Finds the kind, the variant and the machine of a model. Where the request names no device, the
 * machine is LM Studio's own if it has the model, else a device that has the model. The machine is
 * always sent, because LM Studio would otherwise use the device that the user prefers.
 */
export async function resolveTarget(
  connection: Connection,
  { modelKey, kind, deviceIdentifier }: AskedModel,
  deadline: Deadline,
): Promise<Target> {
  const listing = await listDownloaded(connection, deadline);
  const { model, variant } = findModel(modelKey, listing.models, deviceIdentifier);
  const selected = model?.selectedVariant ?? null;
  const holder = model?.deviceIdentifier ?? null;
  return {
    kind: kind ?? model?.kind ?? 'llm',
    // LM Studio refuses the keys of variants. The model's own key loads the selected variant. LM Studio also
    // accepts partial paths, so a key that is not in the list is sent unchanged.
    wireKey: model !== null && variant !== null && variant === selected ? model.modelKey : modelKey,
    loads: variant ?? selected ?? model?.modelKey ?? modelKey,
    otherVariant: variant !== null && variant !== selected,
    deviceIdentifier: deviceIdentifier === undefined ? holder : deviceIdentifier,
    listing,
  };
}

/** The target of an estimate. Does not list the models where the caller names kind and machine. */
export async function resolveEstimateTarget(
  connection: Connection,
  asked: AskedModel,
  deadline: Deadline,
): Promise<Target> {
  const { modelKey, kind, deviceIdentifier } = asked;
  const namesVariant = baseKeyOf(modelKey) !== modelKey;
  return kind === null || deviceIdentifier === undefined || namesVariant
    ? resolveTarget(connection, asked, deadline)
    : {
        kind,
        wireKey: modelKey,
        loads: modelKey,
        otherVariant: false,
        deviceIdentifier,
        listing: null,
      };
}

/** Whether a resident is the same model, in the same variant, on the same machine. */
export function isSameModel(
  { deviceIdentifier, loads, listing }: Target,
  resident: ResidentInstance,
): boolean {
  if (deviceIdentifier !== resident.deviceIdentifier || !refersTo(loads, resident)) return false;
  const { modelKey, variant } = resident;
  // `K` is not `K@q8_0` where LM Studio lists both as models.
  const areBothListed = [loads, modelKey].every(
    (key) => listing?.models.some((model) => model.modelKey === key) === true,
  );
  return variant !== null || modelKey === loads || !areBothListed;
}
