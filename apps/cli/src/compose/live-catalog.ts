import type { CatalogPort, CatalogReading, EstimatorPort } from '@mai/autopilot';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import type { CommandContext } from '../context.js';
import type { LMStudioLink } from './connect-lmstudio.js';
import type { HeaderShelf } from './header-shelf.js';
import { createCatalog, createFootprints, libraryOf, openCalibration } from './knowledge.js';
import type { Library } from './library.js';
import type { LiveConfig } from './live-config.js';

/** What there is to choose from, kept up to date: an edited configuration, a finished download. */
export interface LiveCatalog {
  readonly port: CatalogPort;
  readonly estimator: (anythingLoaded: () => boolean) => EstimatorPort;
}

export interface LiveCatalogOptions {
  readonly link: LMStudioLink;
  readonly config: LiveConfig;
  readonly shelf: HeaderShelf;
  readonly context: CommandContext;
  /** A configuration that was edited is in force from now on. */
  readonly onApplied: (config: LoadedModelConfig) => void;
}

/** A download that has just finished can wait for so long. */
const LIBRARY_FRESH_MS = 30_000;

/** Joins configuration and downloads; each is read again when it may have changed. */
export async function openLiveCatalog(options: LiveCatalogOptions): Promise<LiveCatalog> {
  const { link, config, shelf, context, onApplied } = options;
  const { nowMs } = context.io;
  const calibration = openCalibration(context, link);
  let library = await libraryOf(link, context, shelf);
  let listedAtMs = nowMs();
  const readings = new Map<string | null, CatalogReading>();

  /** False where what is downloaded is what it was. */
  const refreshLibrary = async (mayAskRuntime: boolean): Promise<boolean> => {
    if (!mayAskRuntime || Math.abs(nowMs() - listedAtMs) < LIBRARY_FRESH_MS) return false;
    let latest: Library;
    try {
      latest = await libraryOf(link, context, shelf);
    } catch (error) {
      // LM Studio is away. Whoever asks for its residents says so; the files are still there.
      if (isLMStudioError(error)) return false;
      throw error;
    }
    listedAtMs = nowMs();
    if (JSON.stringify(latest.models) === JSON.stringify(library.models)) return false;
    library = latest;
    return true;
  };

  const port: CatalogPort = {
    read: async (request) => {
      const edited = await config.changed();
      const downloaded = await refreshLibrary(request.mayAskRuntime ?? true);
      const known = readings.get(request.chain);
      if (edited === null && !downloaded && known !== undefined) return known;
      const { config: inForce } = edited ?? config.current;
      // Also where a chain that is in use has gone, nothing of the new configuration is applied.
      const reading = await createCatalog(inForce, library.models).port.read(request);
      if (edited !== null) {
        config.accept(edited);
        readings.clear();
        onApplied(edited);
      }
      readings.set(request.chain, reading);
      return reading;
    },
  };

  return {
    port,
    estimator: (anythingLoaded) => {
      let made: { readonly of: Library; readonly port: EstimatorPort } | null = null;
      return {
        estimate: (question, callOptions) => {
          if (made?.of !== library) {
            const sources = { shelf, calibration };
            made = { of: library, port: createFootprints(library, sources, anythingLoaded) };
          }
          return made.port.estimate(question, callOptions);
        },
      };
    },
  };
}
