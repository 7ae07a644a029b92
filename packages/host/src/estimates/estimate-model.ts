import path from 'node:path';
import { assembleSelectionInput } from '@mai/autopilot';
import type { EstimateSettings } from '@mai/memory-estimator';
import { openCalibration } from '../footprints/calibration.js';
import { findFootprint } from '../footprints/footprints.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import { cheaperFitOf, fitOf } from '../models/model-fit.js';
import { withLoadConfig } from '../models/with-load-config.js';
import type { Session } from '../session.js';
import { withSession } from '../session.js';
import {
  changesOf,
  isHypothetical,
  NO_SETTINGS,
  refuseProblems,
  settingsOf,
} from './estimate-settings.js';
import { judgeAlone } from './fit-here.js';
import { describeModel, type ModelEstimate } from './model-estimate.js';
import { openDownloaded, openModelFile } from './open-model.js';

/** The question: how much memory does this model take, and does it fit? */
export interface EstimateRequest {
  /** A model key, a GGUF file or its header, or a folder with an MLX model. */
  readonly model: string;
  /**
   * Settings that replace the configuration of a downloaded model, or LM Studio's defaults for a
   * file. Null means the same as absent.
   */
  readonly settings?: Partial<EstimateSettings>;
  /**
   * Whether to judge if a file fits. False: only the file is read, not the machine. Default true.
   */
  readonly judge?: boolean;
}

/**
 * Answers what a model takes and whether it fits. The verdict on a downloaded model is the same as that of
 * the list of models: configured alike, estimated alike and judged alike. A file is judged beside everything
 * that is loaded.
 * @throws HostError for settings that can't be loaded; ModelFileError; LMStudioError `MODEL_NOT_FOUND`
 */
export async function estimateModel(
  parts: HostParts,
  context: HostContext,
  { model: name, settings: given = {}, judge = true }: EstimateRequest,
): Promise<ModelEstimate> {
  const settings: EstimateSettings = { ...NO_SETTINGS, ...given };
  refuseProblems(settings, null);
  const file = await openModelFile(name, context);
  if (file !== null) {
    const title = path.basename(path.resolve(context.cwd, name));
    const estimate = describeModel(title, file, settings);
    return judge
      ? { ...estimate, fit: await judgeAlone(file, estimate.report, settings, parts, context) }
      : estimate;
  }
  return withSession(parts, { signal: context.signal }, (session) =>
    estimateDownloaded(name, settings, session),
  );
}

async function estimateDownloaded(
  modelKey: string,
  settings: EstimateSettings,
  session: Session,
): Promise<ModelEstimate> {
  const { context, parts, catalog } = session;
  const downloads = await session.downloads();
  const { headers } = await parts.estimation();
  const known = await openDownloaded(modelKey, downloads, headers, context);
  const { profiles, portOf } = await catalog();
  const profile = profiles.find((one) => one.modelKey === modelKey);
  if (profile === undefined) throw new Error(`${modelKey} is downloaded and has no profile.`);
  const wanted = withLoadConfig(profile, changesOf(settings));
  const asConfigured = settingsOf(settings, wanted.loadConfig, wanted.contextLengthTokens);
  const estimate = { ...describeModel(modelKey, known, asConfigured), modelKey };
  if (isHypothetical(settings)) {
    const fit = await judgeAlone(known, estimate.report, asConfigured, parts, context);
    return { ...estimate, fit };
  }

  const input = await assembleSelectionInput(
    { ...session.ports, catalog: portOf([wanted]) },
    {},
    { signal: context.signal },
  );
  const [candidate] = input.candidates;
  const option = candidate?.loadOptions[0];
  if (candidate === undefined || option === undefined) return estimate;
  const { resources } = input;
  const { loadConfig: asked } = option;
  const sourced = await findFootprint(
    { modelKey, loadConfig: asked, resources, deviceIdentifier: null },
    { downloads, headers, calibration: openCalibration(context, session.link) },
    { signal: context.signal },
  );
  const { lmStudio, disagreementRatio } = sourced;
  const fit = fitOf(candidate, input);
  const isHere = known.kind === 'header' || known.isHere;
  return {
    ...estimate,
    fit: isHere
      ? {
          ...fit,
          loadConfig: asked,
          resources,
          cheaper: fit.rejection === null ? null : cheaperFitOf(candidate, input),
        }
      : null,
    corrected: sourced.corrected ? sourced.footprint : null,
    lmStudio: lmStudio === null ? null : { totalBytes: lmStudio.totalBytes, disagreementRatio },
  };
}
