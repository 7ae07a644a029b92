import type { CatalogPort, CatalogReading, EstimatorPort } from '@mai/autopilot';
import { isLMStudioError } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import type { HostParts } from '../host-parts.js';
import { createCatalog } from '../models/catalog.js';
import type { Downloads } from '../models/downloads.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { LiveConfig } from './live-config.js';

/** The models to choose from, kept up to date while configuration and downloads change. */
export interface LiveCatalog {
  readonly port: CatalogPort;
  readonly estimator: (anythingLoaded: () => boolean) => EstimatorPort;
}

/** The parts that a live catalog needs. */
export interface LiveCatalogOptions {
  readonly parts: HostParts;
  readonly link: RuntimeLink;
  readonly config: LiveConfig;
  /** Called when an edited configuration is in force. */
  readonly onApplied: (config: LoadedModelConfig) => void;
}

/** Maximum age of the list of downloads, and so the delay until a finished download is noticed. */
const DOWNLOADS_FRESH_MS = 30_000;

/** Joins configuration and downloads, and reads each again when it may have changed. */
export async function openLiveCatalog({
  parts,
  link,
  config,
  onApplied,
}: LiveCatalogOptions): Promise<LiveCatalog> {
  const { context } = parts;
  const { clock } = context;
  const { listDownloads, createFootprints, openCalibration, headers } = await parts.estimation();
  const calibration = openCalibration(context, link);
  let downloads = await listDownloads(link, context, headers);
  let listedAtMs = clock.monotonicMs();
  const readings = new Map<string | null, CatalogReading>();

  /** Whether the downloads have changed. */
  const refreshDownloads = async (): Promise<boolean> => {
    if (clock.monotonicMs() - listedAtMs < DOWNLOADS_FRESH_MS) return false;
    let latest: Downloads;
    try {
      latest = await listDownloads(link, context, headers);
    } catch (error) {
      // LM Studio does not answer; listing the residents reports that. Keep the last list of
      // downloads.
      if (isLMStudioError(error)) return false;
      throw error;
    }
    listedAtMs = clock.monotonicMs();
    if (JSON.stringify(latest.models) === JSON.stringify(downloads.models)) return false;
    downloads = latest;
    return true;
  };

  const port: CatalogPort = {
    read: async (request) => {
      const edited = await config.changed();
      const downloaded = await refreshDownloads();
      const known = readings.get(request.chain);
      if (edited === null && !downloaded && known !== undefined) return known;
      const { config: latest } = edited ?? config.current;
      // Throws where the edit removed the chain in use. Then the whole edit is rejected.
      const reading = await createCatalog(latest, downloads.models).port.read(request);
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
      let made: { readonly of: Downloads; readonly port: EstimatorPort } | null = null;
      return {
        estimate: (question, callOptions) => {
          if (made?.of !== downloads) {
            const sources = { downloads, headers, calibration };
            made = { of: downloads, port: createFootprints(sources, anythingLoaded) };
          }
          return made.port.estimate(question, callOptions);
        },
      };
    },
  };
}
