import path from 'node:path';
import type { EstimateReport, EstimateSettings, GgufHeader } from '@mai/memory-estimator';
import { estimateReport, NO_SETTINGS, readGgufHeader, refuseModel } from '@mai/memory-estimator';
import type { EngineRefusal } from '@mai/selector';
import { engineNamed, onBackend } from '../engine/chosen-engine.js';
import type { LoadEngine } from '../engine/load-engine.js';
import { UNFINISHED } from '../model-files/judge-file.js';
import { refuseProblems } from './estimate-settings.js';

/**
 * Maximum number of headers in memory. Consecutive questions usually concern the same few files.
 */
const KEPT_HEADERS = 16;

/** The estimate of a file. */
export interface FileEstimate {
  readonly report: EstimateReport;
  /** Why the file cannot be loaded: llama.cpp refuses it, or it lacks weights. Null where it can be loaded. */
  readonly refusal: EngineRefusal | null;
  /** False: the file cannot be loaded, because it is a header without weights or an unfinished download. */
  readonly complete: boolean;
}

/** Answers many questions about a few files. */
export interface FileEstimates {
  /**
   * @param given - settings that replace the engine's defaults
   * @param engine - its name, as `engineNamed` takes it; null: the engine that would load the file here
   * @throws ModelFileError; HostError for settings that cannot be loaded; the signal's reason
   */
  estimate(
    file: string,
    given: Partial<EstimateSettings>,
    engine: string | null,
  ): Promise<FileEstimate>;
}

/**
 * @param cwd - the folder of relative file names
 * @param usualEngine - the engine for a question that names no engine
 */
export function createFileEstimates(
  cwd: string,
  signal: AbortSignal,
  usualEngine: () => Promise<LoadEngine>,
): FileEstimates {
  const headers = new Map<string, Promise<GgufHeader>>();
  const headerOf = (file: string): Promise<GgufHeader> => {
    const header = headers.get(file) ?? readGgufHeader(path.resolve(cwd, file), { signal });
    headers.delete(file);
    headers.set(file, header);
    // Do not keep an error, because the file may be readable at the next question.
    header.catch(() => headers.delete(file));
    const oldest = headers.keys().next().value;
    if (headers.size > KEPT_HEADERS && oldest !== undefined) headers.delete(oldest);
    return header;
  };
  return {
    estimate: async (file, given, engine) => {
      const settings: EstimateSettings = { ...NO_SETTINGS, ...given };
      const { profile } = onBackend(
        engine === null ? await usualEngine() : engineNamed(engine),
        settings.gpuBackend,
      );
      refuseProblems(settings, null, profile);
      const header = await headerOf(file);
      refuseProblems(settings, header, profile);
      return {
        report: estimateReport(header, settings, null, { profile }),
        refusal: refuseModel(header, profile.engine) ?? (header.complete ? null : UNFINISHED),
        complete: header.complete,
      };
    },
  };
}
