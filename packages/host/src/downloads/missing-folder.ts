import { lstat, stat } from 'node:fs/promises';
import type { LMStudioHome } from '@mai/lmstudio-adapter';
import { errorCodeOf } from '../guards.js';

/** LM Studio's models folder where it is configured and does not exist, or is a link to nowhere. */
export async function findMissingFolder(home: LMStudioHome | null): Promise<string | null> {
  if (home === null) return null;
  const { modelsFolder, modelsFolderFrom } = home;
  const exists = (look: typeof stat | typeof lstat): Promise<boolean> =>
    look(modelsFolder).then(
      () => true,
      (error: unknown) => errorCodeOf(error) !== 'ENOENT',
    );
  if (await exists(stat)) return null;
  // LM Studio creates its default folder with the first download.
  return modelsFolderFrom === 'settings' || (await exists(lstat)) ? modelsFolder : null;
}
