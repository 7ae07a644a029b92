import type { LeftOutModel, UnreadablePath, UnusableFile } from '@mai/lmstudio-adapter';
import type { StorePlace } from '../stores/stored-model.js';

/** The source of a list of downloaded models. */
export type DownloadsOrigin =
  | {
      readonly kind: 'lmstudio';
      readonly baseUrl: string;
      /**
       * Number of models on other machines of LM Link. The list leaves them out, because the memory of those
       * machines cannot be read from here.
       */
      readonly elsewhere: number;
    }
  /** LM Studio is off, so its models folder was read; null where no such folder was found. */
  | { readonly kind: 'models-folder'; readonly folder: string | null }
  /** The embedded engine is the runtime, so the folders of other programs were searched. */
  | { readonly kind: 'stores'; readonly places: readonly StorePlace[] };

/** The source of a list of downloaded models, and the files and folders that it leaves out. */
export interface DownloadsReport {
  readonly origin: DownloadsOrigin;
  /** Files that are not models or that llama.cpp refuses, each with the reason. */
  readonly unusable: readonly UnusableFile[];
  /** Files and folders that could not be read. */
  readonly unreadable: readonly UnreadablePath[];
  /** Entries of LM Studio's list that are not among the models. */
  readonly otherEntries: readonly LeftOutModel[];
  /**
   * The models folder that LM Studio's settings name, if this folder does not exist, for example because its
   * drive is not mounted. Null where the folder exists, or where LM Studio is on another machine.
   */
  readonly missingFolder: string | null;
  /** The `model_folders` of the configuration that do not exist. Empty where LM Studio is the runtime. */
  readonly missingModelFolders: readonly string[];
}

/** The facts of a list of downloaded models besides the models. */
export function reportOf({
  origin,
  unusable,
  unreadable,
  otherEntries,
  missingFolder,
  missingModelFolders,
}: DownloadsReport): DownloadsReport {
  return { origin, unusable, unreadable, otherEntries, missingFolder, missingModelFolders };
}
