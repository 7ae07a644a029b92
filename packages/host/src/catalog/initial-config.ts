import { isConfigurableModelKey, renderModelConfig, type QualityUse } from '@mai/model-config';
import type { Downloads } from '../downloads/downloads-list.js';
import { reportOf, type DownloadsReport } from '../downloads/downloads-report.js';

/** The first configuration of a machine. */
export interface InitialConfig extends DownloadsReport {
  /** The text of a commented models.yaml; the built-in configuration where nothing is downloaded. */
  readonly text: string;
  /** Keys of the downloaded models that the text names. */
  readonly modelKeys: readonly string[];
  /** Keys of downloaded models that a configuration cannot name, because `isConfigurableModelKey` is false. */
  readonly leftOut: readonly string[];
}

/**
 * Creates the text of a configuration for the downloaded models.
 *
 * @param valueOfModel - the value of a model for a use on this machine, 0 to 1. Null: the chains are ordered by quality alone.
 */
export async function createInitialConfig(
  downloads: Downloads,
  valueOfModel: ((modelKey: string, use: QualityUse) => number | null) | null = null,
): Promise<InitialConfig> {
  const { models } = downloads;
  const keys = [...new Set(models.map(({ modelKey }) => modelKey))];
  return {
    text: await renderModelConfig(models, { schema: null, valueOfModel }),
    modelKeys: keys.filter(isConfigurableModelKey),
    leftOut: keys.filter((key) => !isConfigurableModelKey(key)),
    ...reportOf(downloads),
  };
}
