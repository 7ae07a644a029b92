import { isTooSlow, valueOf } from '@mai/memory-ledger';
import { isModelConfigError, toSelectionPolicy, type QualityUse } from '@mai/model-config';
import type { CallOptions } from '../control/autopilot-service.js';
import type { HostParts } from '../host-parts.js';
import { factsOf } from '../model-files/model-files.js';
import { listModels } from '../model-list/list-models.js';
import { modelQuality } from '../catalog/model-quality.js';
import { withSession } from '../session/session.js';

/** The value of a model for a use on this machine, 0 to 1; null where its quality is not known. */
export type ValueHere = (modelKey: string, use: QualityUse) => number | null;

/** A model that is too slow comes behind every model that is fast enough. Where Mai orders models itself, it does the same. */
const BEHIND_OTHERS = 1e-3;

/**
 * The values of the downloaded models on this machine. A model that does not fit in any way has no value. Null where the
 * configuration in use has faults, because its limits are then not known.
 */
export async function valuesHere(parts: HostParts, call: CallOptions): Promise<ValueHere | null> {
  try {
    return await withSession(parts, call, async (session): Promise<ValueHere> => {
      const policy = toSelectionPolicy(session.config.config.switching);
      const [{ models }, downloads] = await Promise.all([
        listModels(session, {}),
        session.downloads(),
      ]);
      const reports = new Map(models.map((report) => [report.profile.modelKey, report]));
      const listed = new Map(downloads.models.map((model) => [model.modelKey, model]));
      const baseModels = new Map(
        await Promise.all(
          downloads.models.map(async ({ modelKey }) => {
            const found = await downloads.find(modelKey);
            const facts = await factsOf(found?.files ?? null);
            return [modelKey, facts?.baseModels ?? []] as const;
          }),
        ),
      );
      return (modelKey, use) => {
        const report = reports.get(modelKey);
        if (report === undefined) return null;
        const { profile, rejection, cheaper, speed } = report;
        if (rejection !== null && cheaper === null) return 0;
        const judged = {
          profile,
          model: listed.get(modelKey) ?? null,
          shape: null,
          quantization: null,
          baseModels: baseModels.get(modelKey) ?? [],
        };
        const loadConfig = cheaper?.loadConfig ?? profile.loadConfig;
        const quality = modelQuality(judged, loadConfig, use)?.quality ?? null;
        const value = valueOf({ quality, speed }, policy);
        if (value === null || speed === null || !isTooSlow(speed, policy)) return value;
        return value * BEHIND_OTHERS;
      };
    });
  } catch (error) {
    if (isModelConfigError(error)) return null;
    throw error;
  }
}
