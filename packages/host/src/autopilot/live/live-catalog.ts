import type { CatalogPort, CatalogReading, EstimatorPort } from '@mai/autopilot';
import type { EngineReport, ResidentInstance } from '@mai/lmstudio-adapter';
import type { LoadedModelConfig } from '@mai/model-config';
import type { GivenContexts } from '../../runtime/given-contexts.js';
import type { HostParts } from '../../host-parts.js';
import { createCatalog, profileNamed, type Catalog } from '../../catalog/catalog.js';
import type { Downloads } from '../../downloads/downloads-list.js';
import { rememberModels } from '../../downloads/remember-models.js';
import { stampFiles } from '../../model-files/stamp-files.js';
import type { RuntimeLink } from '../../runtime/connect-runtime.js';
import { isRuntimeError } from '../../runtime/runtime-error.js';
import { speedsOfRuntime } from '../../speeds/speeds-of-runtime.js';
import type { LiveConfig } from './live-config.js';

/** The candidates of an autopilot. They follow changes of the configuration and of the downloads. */
export interface LiveCatalog {
  /** `residents` returns the last list of residents. */
  readonly port: (residents: () => readonly ResidentInstance[]) => CatalogPort;
  readonly estimator: (residents: () => readonly ResidentInstance[]) => EstimatorPort;
}

/** The parts that a live catalog needs. */
export interface LiveCatalogOptions {
  readonly parts: HostParts;
  readonly link: RuntimeLink;
  readonly config: LiveConfig;
  readonly contexts: GivenContexts;
  /** The reports of LM Studio's engines so far. */
  readonly engineReports: () => readonly EngineReport[];
  /** Called after an edited configuration has come into force. */
  readonly onApplied: (config: LoadedModelConfig) => void;
}

/** Maximum age of the list of downloads, and so the longest delay until a new download is noticed. */
const DOWNLOADS_FRESH_MS = 30_000;

/** Joins configuration and downloads. Reads the files again after a change, and the downloads every 30 s. */
export async function openLiveCatalog({
  parts,
  link,
  config,
  contexts,
  engineReports,
  onApplied,
}: LiveCatalogOptions): Promise<LiveCatalog> {
  const { context } = parts;
  const { clock } = context;
  const { listDownloads, createFootprints, openCalibration, headers, judgeQuality } =
    await parts.estimation();
  const calibration = openCalibration(context, link);
  const speeds = await speedsOfRuntime(parts, link);
  let latest = await listDownloads(link, context, headers);
  let fileStamps = await stampFiles(latest.stampedFiles);
  const remember = rememberModels();
  let downloads = remember(latest, []);
  const textOf = (
    { listed, unusable, otherEntries, engine }: Downloads,
    stamps: ReadonlyMap<string, string>,
  ) => JSON.stringify([listed, [...stamps], unusable, otherEntries, engine]);
  let listedAtMs = clock.monotonicMs();
  const readings = new Map<string, CatalogReading>();
  /** The chain of the first reading: the autopilot's own. */
  let ownChain: { readonly chain: string | null } | null = null;

  /** Lists the downloads again where the list is old. */
  const refreshList = async (): Promise<void> => {
    if (clock.monotonicMs() - listedAtMs < DOWNLOADS_FRESH_MS) return;
    let list: Downloads;
    try {
      list = await listDownloads(link, context, headers);
    } catch (error) {
      // LM Studio does not answer. Keep the last list: the autopilot reports the error when it lists
      // the residents.
      if (isRuntimeError(error)) return;
      throw error;
    }
    listedAtMs = clock.monotonicMs();
    const stamps = await stampFiles(list.stampedFiles);
    if (textOf(list, stamps) === textOf(latest, fileStamps)) return;
    latest = list;
    fileStamps = stamps;
  };

  /** Returns whether the downloads have changed, or a loaded model whose file is gone. */
  const refreshDownloads = async (residents: readonly ResidentInstance[]): Promise<boolean> => {
    await refreshList();
    const here = residents.filter(({ deviceIdentifier }) => deviceIdentifier === null);
    const next = remember(
      latest,
      here.map(({ modelKey }) => modelKey),
    );
    if (next === downloads) return false;
    downloads = next;
    return true;
  };

  let joined: { readonly of: readonly unknown[]; readonly catalog: Catalog } | null = null;
  /** The configuration in force joined with the last list of downloads. */
  const currentCatalog = (): Catalog => {
    const of = [config.current, downloads];
    if (joined === null || joined.of.some((one, index) => one !== of[index])) {
      joined = {
        of,
        catalog: createCatalog(config.current.config, downloads, judgeQuality, fileStamps),
      };
    }
    return joined.catalog;
  };

  const port: LiveCatalog['port'] = (residents) => ({
    read: async (request) => {
      const edited = await config.changed();
      const downloaded = await refreshDownloads(residents());
      const { chain, modelKey = null } = request;
      const key = JSON.stringify([chain, modelKey]);
      const known = readings.get(key);
      if (edited === null && !downloaded && known !== undefined) return known;
      const { config: latest } = edited ?? config.current;
      const catalog = createCatalog(latest, downloads, judgeQuality, fileStamps);
      ownChain ??= { chain };
      if (edited !== null) {
        // Throws where the edited configuration lacks the chain in use. Then it does not come into force.
        await catalog.port.read(ownChain);
        config.accept(edited);
        onApplied(edited);
      }
      if (edited !== null || downloaded) readings.clear();
      const reading = await catalog.port.read(request);
      // Unknown models are not kept: callers may ask for any name.
      if (modelKey === null || reading.chain.length > 0) readings.set(key, reading);
      return reading;
    },
  });

  return {
    port,
    estimator: (residents) => {
      let made: { readonly of: Downloads; readonly port: EstimatorPort } | null = null;
      return {
        revision: () => speeds.revision(),
        estimate: (question, callOptions) => {
          if (made?.of !== downloads) {
            const sources = {
              downloads,
              headers,
              calibration,
              contexts,
              engineReports,
              speeds,
              judgeQuality,
              profileOf: (modelKey: string) =>
                Promise.resolve(profileNamed(currentCatalog(), modelKey)),
            };
            made = { of: downloads, port: createFootprints(sources, residents) };
          }
          return made.port.estimate(question, callOptions);
        },
      };
    },
  };
}
