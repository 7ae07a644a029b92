import type { DownloadedModel, ResidentInstance } from '@mai/lmstudio-adapter';
import type { LoadEngine } from '../engine/load-engine.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { DownloadsReport } from './downloads-report.js';
import type { FoundModel, ModelFiles } from '../model-files/model-files.js';
import type { FilesOfModel } from '../model-files/stamp-files.js';
import type { ModelSource } from '../stores/stored-model.js';

/** The downloaded models of the runtime's machine. */
export interface Downloads extends DownloadsReport {
  readonly link: RuntimeLink;
  /** The engine that loads GGUF models. */
  readonly engine: LoadEngine;
  readonly models: readonly DownloadedModel[];
  /**
   * The models of this machine, also those whose file is unusable. Of several quantizations that are listed without
   * their model, only the usable ones. While LM Studio is off, the same as `models`.
   */
  readonly listed: readonly DownloadedModel[];
  /** Models on other machines of LM Link, which `models` leaves out. */
  readonly linked: readonly DownloadedModel[];
  /**
   * Loaded models that an earlier list had and this one lacks. They serve until they are unloaded, and cannot be loaded
   * again. Only `rememberModels` adds them.
   */
  readonly gone: readonly DownloadedModel[];
  /** The files of each offered model, for `stampFiles`. Empty for a model without files here. */
  readonly stampedFiles: readonly FilesOfModel[];
  /** The places of each model, by model key. Empty where LM Studio is the runtime. */
  readonly sources: ReadonlyMap<string, readonly ModelSource[]>;
  /**
   * Finds the model of a key. The key of a variant gives the model with the file of that variant. Also finds models
   * that have no selected engine. Null where the key names no model of this machine.
   */
  readonly find: (modelKey: string) => Promise<FoundModel | null>;
  /**
   * The files that a resident was loaded from. Null for LM Studio, which does not name them, and for an
   * engine that has ended.
   */
  readonly filesOfResident: (resident: ResidentInstance) => Promise<ModelFiles | null>;
}

/** The functions that do not depend on the runtime's connection. */
export type DownloadsList = Omit<Downloads, 'link' | 'engine' | 'filesOfResident'>;
