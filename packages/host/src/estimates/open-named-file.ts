import { isModelFileError } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { withSession } from '../session/session.js';
import { openModelFile, type KnownModel } from './open-model.js';

/**
 * Opens the model file or folder that a request names. Null for a model key. A key can look like a path: of two files that
 * would get the same key, one has its path in the models folder as its key.
 *
 * @throws ModelFileError
 */
export async function openNamedFile(
  name: string,
  parts: HostParts,
  context: HostContext,
): Promise<KnownModel | null> {
  try {
    return await openModelFile(name, context);
  } catch (error) {
    const isMissing = isModelFileError(error) && error.code === 'FILE_NOT_FOUND';
    if (isMissing && (await isListed(name, parts, context))) return null;
    throw error;
  }
}

/** Whether a model has this key. False where no list can be read. */
async function isListed(name: string, parts: HostParts, context: HostContext): Promise<boolean> {
  try {
    return await withSession(parts, { signal: context.signal }, async (session) => {
      const { listed, unusable } = await session.downloads();
      return [...listed, ...unusable].some(({ modelKey }) => modelKey === name);
    });
  } catch {
    context.signal.throwIfAborted();
    return false;
  }
}
