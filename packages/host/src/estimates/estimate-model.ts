import path from 'node:path';
import {
  chargeResidents,
  DEFAULT_LOAD_CONFIG,
  LIMIT,
  measurePools,
  refersTo,
  type LoadConfig,
} from '@mai/memory-ledger';
import { assembleSelectionInput, type AssembledInput } from '@mai/autopilot';
import { cheapestFit, NO_SETTINGS, type EstimateSettings } from '@mai/memory-estimator';
import { keyThatLoads } from '@mai/model-config';
import { readReservationsOrWarn } from '../session/read-reservations.js';
import { engineHere, engineNamed, onBackend } from '../engine/chosen-engine.js';
import { engineOfInstance, environmentFor, type LoadEngine } from '../engine/load-engine.js';
import type { SourcedFootprint } from '../footprints/footprints.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { withLoadConfig } from '../catalog/catalog.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { unusableNote } from '../downloads/left-out-notes.js';
import { cheaperFitOf, fitOf } from '../model-list/model-fit.js';
import type { Session, SessionOptions } from '../session/session.js';
import { withSession } from '../session/session.js';
import { LINKED_GAP } from '../speeds/speed-gap.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';
import { changesOf, isHypothetical, settingsOf } from './estimate-settings.js';
import { withSpeed } from './estimate-speed.js';
import { judgeAlone, withTradeOffs, type FitHere } from './fit-here.js';
import { describeModel, mlxFacts, type ModelEstimate } from './model-estimate.js';
import { linkedModel, openDownloaded, openUnusable, type KnownModel } from './open-model.js';
import { openNamedFile } from './open-named-file.js';

/** The question: how much memory does this model take, and does it fit? */
export interface EstimateRequest {
  /** A model key, a GGUF file or its header, or a folder with an MLX model. */
  readonly model: string;
  /**
   * Settings that replace the configuration of a downloaded model, or LM Studio's defaults for a
   * file. A setting that is null or absent replaces nothing.
   */
  readonly settings?: Partial<EstimateSettings>;
  /**
   * Name of the engine: `llama.cpp`, `lmstudio`, or `lmstudio@` and the version of a runtime. Null, the default: the
   * runtime that would load the model here, or else LM Studio's newest known runtime.
   */
  readonly engine?: string | null;
  /**
   * Whether to judge if a file fits this machine. If false, only the file is read. Default true.
   */
  readonly judge?: boolean;
}

/**
 * Estimates the memory of a model and judges whether it fits. A downloaded model gets the same verdict as in
 * the list of models. A file is judged beside all residents.
 * @throws HostError `INVALID_REQUEST` for settings that cannot be loaded; ModelFileError; LMStudioError `MODEL_NOT_FOUND`
 */
export async function estimateModel(
  parts: HostParts,
  context: HostContext,
  { model: name, settings: given = {}, engine = null, judge = true }: EstimateRequest,
): Promise<ModelEstimate> {
  const settings: EstimateSettings = { ...NO_SETTINGS, ...given };
  const named = engine === null ? null : engineNamed(engine);
  const file = await openNamedFile(name, parts, context);
  if (file !== null) {
    const title = path.basename(path.resolve(context.cwd, name));
    const used = onBackend(named ?? (await engineHere(parts, context)), settings.gpuBackend);
    const estimate = describeModel(title, file, settings, used);
    if (!judge || estimate.refusal !== null) return estimate;
    const fit = await judgeAlone(file, estimate.report, settings, used, parts, context);
    const subject = { modelKey: title, model: null, engine: used, load: fit };
    const speeds = await parts.speeds();
    return withSpeed(withFit(estimate, fit, file, settings, used), file, subject, settings, speeds);
  }
  // The session reports its footprints here with their sources, so that no footprint is estimated twice.
  const found = new Map<string, SourcedFootprint>();
  const onFootprint: SessionOptions['onFootprint'] = ({ modelKey, loadConfig }, sourced) =>
    found.set(keyOf(modelKey, loadConfig), sourced);
  return withSession(parts, { signal: context.signal, onFootprint }, (session) =>
    estimateDownloaded({ modelKey: name, settings, named }, session, found),
  );
}

/** The key of a footprint in the map. */
function keyOf(modelKey: string, loadConfig: LoadConfig): string {
  return JSON.stringify([modelKey, loadConfig]);
}

async function estimateDownloaded(
  {
    modelKey: asked,
    settings,
    named,
  }: {
    readonly modelKey: string;
    readonly settings: EstimateSettings;
    readonly named: LoadEngine | null;
  },
  session: Session,
  found: ReadonlyMap<string, SourcedFootprint>,
): Promise<ModelEstimate> {
  const { context, parts, catalog } = session;
  const downloads = await session.downloads();
  const modelKey = keyThatLoads(asked, downloads.listed);
  const { headers } = await parts.estimation();
  const unusable = downloads.unusable.find((one) => one.modelKey === modelKey);
  const lacksEngine = unusable?.code === 'NO_ENGINE';
  const refused =
    unusable === undefined || lacksEngine ? null : await openUnusable(unusable, context);
  // Without this note, the estimate would look as if the model could be loaded.
  if (unusable !== undefined && (lacksEngine || refused?.kind !== 'header'))
    context.warn(unusableNote(unusable));
  const engine = onBackend(
    named ?? (await engineOfModel(modelKey, downloads, session)),
    settings.gpuBackend,
  );
  if (refused !== null)
    return { ...describeModel(asked, refused, settings, engine), modelKey: asked };
  const known = await openDownloaded(modelKey, downloads, headers, context);
  const { profiles, portOf } = await catalog();
  // A variant is configured by the key of its model.
  const base = (await downloads.find(modelKey)) === null ? null : baseOf(modelKey, downloads);
  const profile = profiles.find((one) => one.modelKey === (base ?? modelKey));
  if (profile === undefined) return estimateLinked(asked, known, settings, engine, downloads);
  const wanted = { ...withLoadConfig(profile, changesOf(settings)), modelKey };
  const asConfigured = settingsOf(settings, wanted.loadConfig, wanted.contextLengthTokens);
  const estimate = { ...describeModel(asked, known, asConfigured, engine), modelKey: asked };
  const subject = { modelKey, engine, model: (await downloads.find(modelKey))?.model ?? null };
  const speeds = await speedsOfRuntime(parts, downloads.link);
  if (named !== null || isHypothetical(settings)) {
    const fit = await judgeAlone(known, estimate.report, asConfigured, engine, parts, context);
    return withSpeed(
      withFit(estimate, fit, known, asConfigured, engine),
      known,
      { ...subject, load: fit },
      asConfigured,
      speeds,
    );
  }

  const { pinned, yields } = await readReservationsOrWarn(session);
  const input = await assembleSelectionInput(
    { ...session.ports, catalog: portOf([wanted]) },
    { pinned },
    { signal: context.signal, yields },
  );
  const [candidate] = input.candidates;
  const option = candidate?.loadOptions[0];
  if (candidate === undefined || option === undefined) return estimate;
  const { resources } = input;
  const { loadConfig } = option;
  const sourced = found.get(keyOf(modelKey, loadConfig)) ?? null;
  const fit = fitOf(candidate, input);
  const isHere = known.kind !== 'size' || known.isHere;
  const fitted = withFit(
    estimate,
    isHere
      ? {
          ...fit,
          loadConfig,
          resources,
          cheaper: fit.rejection === null ? null : cheaperOf(known, engine, input),
        }
      : null,
    known,
    asConfigured,
    engine,
  );
  return {
    ...withSpeed(
      fitted,
      known,
      { ...subject, load: { loadConfig, resources } },
      asConfigured,
      speeds,
    ),
    corrected: sourced?.corrected === true ? sourced.footprint : null,
    lmStudio: sourced === null ? null : lmStudioFigure(sourced),
  };
}

/** The key of the model that `key` names. `key` may be the key of a variant. */
function baseOf(key: string, { models }: Downloads): string | null {
  const named = models.find(({ modelKey, variants }) => modelKey === key || variants.includes(key));
  return named?.modelKey ?? null;
}

/** The engine that loads a model. Where exactly one copy is loaded: with the settings of this copy. */
async function engineOfModel(
  modelKey: string,
  { engine, link }: Downloads,
  { context: { signal } }: Session,
): Promise<LoadEngine> {
  if (link.kind === 'off') return engine;
  const residents = await link.client.listResidents({ signal });
  const [resident, second] = residents.filter(
    (one) => one.deviceIdentifier === null && refersTo(modelKey, one),
  );
  return resident === undefined || second !== undefined
    ? engine
    : engineOfInstance(engine, resident);
}

/** The estimate of a model on another machine of LM Link, whose file and free memory cannot be read from here. */
async function estimateLinked(
  modelKey: string,
  known: KnownModel,
  settings: EstimateSettings,
  engine: LoadEngine,
  { link, linked }: Downloads,
): Promise<ModelEstimate> {
  const estimate = { ...describeModel(modelKey, known, settings, engine), modelKey };
  const model = linkedModel(modelKey, linked);
  if (link.kind === 'off' || model === undefined) return estimate;
  const { kind, deviceIdentifier } = model;
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, ...changesOf(settings) };
  const theirs = await link.client.estimate(modelKey, loadConfig, { kind, deviceIdentifier });
  const lmStudio =
    theirs === null ? null : { totalBytes: theirs.totalBytes, disagreementRatio: null };
  return { ...estimate, lmStudio, speedGap: kind === 'embedding' ? null : LINKED_GAP };
}

/** Adds whether the model fits, and what the machine's wired limit means for an MLX model. */
function withFit(
  estimate: ModelEstimate,
  fit: FitHere | null,
  known: KnownModel,
  settings: EstimateSettings,
  engine: LoadEngine,
): ModelEstimate {
  return {
    ...estimate,
    fit,
    mlx: fit === null ? estimate.mlx : mlxFacts(known, settings, engine, fit.resources),
  };
}

function lmStudioFigure({
  lmStudio,
  disagreementRatio,
}: SourcedFootprint): ModelEstimate['lmStudio'] {
  return lmStudio === null ? null : { totalBytes: lmStudio.totalBytes, disagreementRatio };
}

/**
 * Finds a cheaper load that fits. With a header, it has the longest context length that fits. Without
 * a header, it is the first of the autopilot's load options that fits.
 */
function cheaperOf(
  known: KnownModel,
  engine: LoadEngine,
  input: AssembledInput,
): FitHere['cheaper'] {
  const [candidate] = input.candidates;
  const loadConfig = candidate?.loadOptions[0]?.loadConfig;
  if (candidate === undefined || loadConfig === undefined) return null;
  if (known.kind !== 'header') return cheaperFitOf(candidate, input);
  const { resources, policy } = input;
  // Search as if every resident were unloaded. Then `fitOf` checks whether enough of the residents
  // may be unloaded.
  const residents = chargeResidents(input.residents, resources, policy.growth).map((one) => ({
    ...one,
    full: new Map(),
  }));
  const pools = measurePools(resources, residents, policy);
  const { header, visionProjector, isEmbedding } = known;
  const environment = { ...environmentFor(resources, engine), visionProjector, isEmbedding };
  const found = withTradeOffs(
    cheapestFit(header, loadConfig, environment, {
      pools,
      devices: resources,
      growth: policy.growth,
      limit: LIMIT,
      size: 'upper-end',
    }),
  );
  if (found === null) return null;
  const option = { ...found, guardrails: null, speed: null, quality: null };
  const judged = fitOf({ ...candidate, loadOptions: [option] }, input);
  return judged.rejection === null ? { ...found, pools: judged.pools } : null;
}
