import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import type { DownloadedModel, LeftOutModel, ModelListing } from './model-types.js';
import type { Deadline } from '../wire/deadline.js';
import { isCallFault } from '../wire/call-fault.js';
import type { RawListing, RawModelInfo } from '../wire/wire.js';
import { toDownloadedModel } from './convert-model.js';
import { rememberVariants } from './known-variants.js';
import { kindOf, requireHttpListing } from './list-over-http.js';
import { filePathOf } from './model-identity.js';

/** Lists the downloaded models, over HTTP where LM Studio does not understand the WebSocket call. */
export async function listDownloaded(
  connection: Connection,
  deadline: Deadline,
): Promise<ModelListing> {
  return withLMStudioErrors(connection, 'list the downloaded models', async () => {
    const listed = await connection.pool.readIfAvailable(
      deadline.spec('system', 'listDownloadedModels'),
      (wire) => wire.listDownloadedModels(),
      deadline.halfLeftMs,
    );
    if (listed === null) {
      const { downloaded, leftOut } = await requireHttpListing(
        connection,
        deadline,
        'system.listDownloadedModels',
      );
      return { models: downloaded, leftOut: leftOut.map(toLeftOut) };
    }
    const { models, leftOut } = listed.value;
    rememberVariants(connection, models);
    return {
      models: await Promise.all(
        models.map(async (raw) => toDownloadedModel(raw, await pathOf(connection, raw, deadline))),
      ),
      leftOut: leftOut.map(toLeftOut),
    };
  });
}

function toLeftOut({ modelKey, type }: RawListing['leftOut'][number]): LeftOutModel {
  const isOtherKind = type !== null && kindOf(type) === null;
  return { modelKey, type, reason: isOtherKind ? 'other-kind' : 'unreadable' };
}

/**
 * The variants of one model; empty where the model has no variants or LM Studio does not report
 * them.
 */
export async function listVariants(
  connection: Connection,
  modelKey: string,
  deadline: Deadline,
): Promise<readonly DownloadedModel[]> {
  return withLMStudioErrors(connection, `list the variants of ${modelKey}`, async () => {
    const variants = await rawVariants(connection, modelKey, deadline);
    return variants.map((raw) => toDownloadedModel(raw, filePathOf(raw)));
  });
}

async function rawVariants(
  connection: Connection,
  modelKey: string,
  deadline: Deadline,
): Promise<readonly RawModelInfo[]> {
  try {
    const listed = await connection.pool.readIfAvailable(
      deadline.optionalSpec('system', 'listDownloadedModelVariants'),
      (wire) => wire.listDownloadedModelVariants(modelKey),
    );
    return listed?.value.models ?? [];
  } catch (error) {
    // LM Studio answers with an error for a model without variants.
    if (isCallFault(error, 'answered')) return [];
    throw error;
  }
}

/**
 * Path of a model's file or folder. The listing has no path for a model of LM Studio's hub. This
 * function then asks for the variants of the model, once for each selected variant.
 */
async function pathOf(
  connection: Connection,
  raw: RawModelInfo,
  deadline: Deadline,
): Promise<string | null> {
  const own = filePathOf(raw);
  // Files on another machine of LM Link cannot be read from here.
  if (own !== null || raw.deviceIdentifier !== null) return own;
  const { modelKey, selectedVariant } = raw;
  const name = JSON.stringify([modelKey, selectedVariant, raw.variants]);
  const known = connection.paths.get(name);
  if (known !== undefined) return known;
  const variants = await rawVariants(connection, modelKey, deadline).catch((error: unknown) => {
    // One slow answer must not end the list. The next listing asks again.
    if (isCallFault(error, 'timed-out')) return [];
    throw error;
  });
  const selected =
    variants.find(
      (variant) =>
        variant.modelKey === selectedVariant || variant.indexedModelIdentifier === selectedVariant,
    ) ?? (variants.length === 1 ? variants[0] : undefined);
  const path = selected === undefined ? null : filePathOf(selected);
  if (path !== null) connection.paths.set(name, path);
  return path;
}
