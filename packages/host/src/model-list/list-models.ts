import type { Capability, Footprint, LoadSpeed, Tier } from '@mai/memory-ledger';
import { assembleSelectionInput, type AssembledInput, type SelectionRequest } from '@mai/autopilot';
import { NO_REQUIREMENT } from '@mai/selector';
import { readReservationsOrWarn, type Reservations } from '../session/read-reservations.js';
import type { Session } from '../session/session.js';
import { speedGap } from '../speeds/speed-gap.js';
import { withLoadConfig, type CatalogProfile } from '../catalog/catalog.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { reportOf, type DownloadsReport } from '../downloads/downloads-report.js';
import { cheaperFitOf, fitOf, type CheaperLoad, type ModelFit } from './model-fit.js';
import type { ModelSource } from '../stores/stored-model.js';

/** Selects the models of a list. */
export interface ModelsQuery {
  /** Only models of these tiers. Null, the default: models of every tier. */
  readonly tiers?: readonly Tier[] | null;
  /** Only models with all of these capabilities. Qualities are then those for this use. */
  readonly capabilities?: readonly Capability[];
  /**
   * Context length in tokens for the verdict, at most each model's maximum. Null, the default: each model's configured
   * length.
   */
  readonly contextLengthTokens?: number | null;
  /** Whether to list also configured models that are not downloaded. Default false. */
  readonly all?: boolean;
}

/** The models of a machine. */
export interface ModelList extends DownloadsReport {
  readonly models: readonly ModelReport[];
  /** Number of all downloaded models, also those that the query leaves out. */
  readonly downloadedCount: number;
  /** Why speeds are missing, as a clause that follows 'because'; null where none is missing, and where no reason is known. */
  readonly speedGap: string | null;
}

/** A model with its memory on this machine and whether it fits now. */
export interface ModelReport extends Pick<ModelFit, 'footprint' | 'rejection'> {
  readonly profile: CatalogProfile;
  /**
   * The load configuration with trade-offs that `select` would load. Null where the configured load fits, and where
   * no load configuration fits.
   */
  readonly cheaper: CheaperLoad | null;
  /** The speeds as configured, or with trade-offs where only those fit; null where they are not known. */
  readonly speed: LoadSpeed | null;
  /** Quality of the answers with that load, 0 to 1; null where it is not known. */
  readonly quality: number | null;
  /** Size on disk; null where LM Studio does not report it. */
  readonly sizeBytes: number | null;
  readonly loaded: boolean;
  /** The places of the model on this machine. Empty where LM Studio is the runtime. */
  readonly sources: readonly ModelSource[];
}

/** Lists models. Each is judged alone: as configured, and then with trade-offs where it does not fit. */
export async function listModels(session: Session, query: ModelsQuery): Promise<ModelList> {
  const { tiers = null, capabilities = [], contextLengthTokens = null, all = false } = query;
  const [downloads, { profiles }] = await Promise.all([session.downloads(), session.catalog()]);
  const listed = profiles.filter(
    (profile) =>
      (profile.downloaded || all) &&
      (tiers === null || tiers.includes(profile.tier)) &&
      capabilities.every((capability) => profile.capabilities.includes(capability)),
  );
  const wanted =
    contextLengthTokens === null
      ? listed
      : listed.map((profile) =>
          withLoadConfig(profile, {
            contextLengthTokens: Math.min(
              contextLengthTokens,
              profile.maxContextLengthTokens ?? contextLengthTokens,
            ),
          }),
        );
  return {
    ...reportOf(downloads),
    ...(await judge(session, downloads, wanted, query)),
    downloadedCount: downloads.models.length,
  };
}

async function judge(
  session: Session,
  { models, sources }: Downloads,
  profiles: readonly CatalogProfile[],
  { capabilities = [], contextLengthTokens = null }: ModelsQuery,
): Promise<Pick<ModelList, 'models' | 'speedGap'>> {
  const reservations = await readReservationsOrWarn(session);
  const requirement = { ...NO_REQUIREMENT, capabilities };
  const input = await assemble(session, profiles, reservations, { requirement, tradeOffs: false });
  // Older versions of LM Studio list models without their size.
  const sizes = new Map(models.map(({ modelKey, sizeBytes }) => [modelKey, sizeBytes || null]));
  const reports = profiles.flatMap((profile): ModelReport[] => {
    const candidate = input.candidates.find(({ modelKey }) => modelKey === profile.modelKey);
    if (candidate === undefined) return [];
    const { footprint, rejection } = fitOf(candidate, input);
    const [option] = candidate.loadOptions;
    const isAsConfigured = contextLengthTokens === null && rejection === null;
    const resident = isAsConfigured ? servingResident(profile, input) : null;
    return [
      {
        profile,
        footprint,
        rejection,
        // `select` shows a loaded model with the context that it has.
        ...(resident === null
          ? {}
          : {
              profile: { ...profile, contextLengthTokens: resident.contextLengthTokens },
              footprint: resident.footprint,
            }),
        sizeBytes: sizes.get(profile.modelKey) ?? null,
        loaded: input.residents.some(({ modelKey }) => modelKey === profile.modelKey),
        cheaper: null,
        speed: option?.speed ?? null,
        quality: option?.quality ?? null,
        sources: sources.get(profile.modelKey) ?? [],
      },
    ];
  });
  const assembleCheaper = (rejected: readonly CatalogProfile[]): Promise<AssembledInput> =>
    assemble(session, rejected, reservations, { requirement, tradeOffs: true });
  const judged = await withCheaper(reports, assembleCheaper);
  const lacksSpeed = judged.some(
    ({ speed, profile }) =>
      speed === null && profile.downloaded && !profile.capabilities.includes('embedding'),
  );
  return { models: judged, speedGap: lacksSpeed ? speedGap(input.resources) : null };
}

/** Adds the load with trade-offs that fits to each model that does not fit as configured. */
async function withCheaper(
  reports: readonly ModelReport[],
  assembleCheaper: (rejected: readonly CatalogProfile[]) => Promise<AssembledInput>,
): Promise<readonly ModelReport[]> {
  // Each cheaper load option needs an estimate of its own, so only rejected models are tried.
  const rejected = reports.filter(({ rejection, profile }) => rejection && profile.downloaded);
  if (rejected.length === 0) return reports;
  const cheaper = await assembleCheaper(rejected.map(({ profile }) => profile));
  return reports.map((report) => {
    const candidate = rejected.includes(report)
      ? cheaper.candidates.find(({ modelKey }) => modelKey === report.profile.modelKey)
      : undefined;
    if (candidate === undefined) return report;
    const fit = cheaperFitOf(candidate, cheaper);
    if (fit === null) return report;
    const { pools: _, speed, quality, ...load } = fit;
    // No trade-off is needed where memory was freed since the first reading.
    return load.tradeOffs.length === 0
      ? { ...report, rejection: null }
      : { ...report, cheaper: load, speed, quality };
  });
}

/** The resident of a model that has more context than asked, and so serves in its place; null: there is none. */
function servingResident(
  { modelKey, contextLengthTokens: asked }: CatalogProfile,
  { residents }: AssembledInput,
): { readonly contextLengthTokens: number; readonly footprint: Footprint | null } | null {
  const own = residents.filter((one) => one.modelKey === modelKey);
  const contexts = own.map(({ loadConfig, footprint }) => ({
    contextLengthTokens: loadConfig.contextLengthTokens ?? 0,
    footprint,
  }));
  if (contexts.some(({ contextLengthTokens }) => contextLengthTokens === asked)) return null;
  return contexts.find(({ contextLengthTokens }) => contextLengthTokens > asked) ?? null;
}

async function assemble(
  { ports, catalog, context }: Session,
  profiles: readonly CatalogProfile[],
  { pinned, yields }: Reservations,
  request: Pick<SelectionRequest, 'requirement' | 'tradeOffs'>,
): Promise<AssembledInput> {
  const { portOf } = await catalog();
  return assembleSelectionInput(
    { ...ports, catalog: portOf(profiles) },
    { ...request, pinned },
    { signal: context.signal, yields },
  );
}
