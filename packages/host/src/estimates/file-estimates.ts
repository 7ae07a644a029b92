import path from 'node:path';
import type {
  EstimateReport,
  EstimateSettings,
  GgufHeader,
  ModelRefusal,
} from '@mai/memory-estimator';
import { estimateReport, readGgufHeader, refuseModel } from '@mai/memory-estimator';
import { refuseProblems } from './estimate-settings.js';

/**
 * Maximum number of headers in memory. Consecutive questions usually concern the same few files.
 */
const KEPT_HEADERS = 16;

/** The estimate of a file. */
export interface FileEstimate {
  readonly report: EstimateReport;
  /** Why llama.cpp refuses the file; null where it does not. */
  readonly refusal: ModelRefusal | null;
  /** False: the file can't be loaded, because it is a header without weights or an unfinished download. */
  readonly complete: boolean;
}

/** Answers many questions about a few files. */
export interface FileEstimates {
  /** @throws ModelFileError; HostError for settings that can't be loaded; the signal's reason */
  estimate(file: string, settings: EstimateSettings): Promise<FileEstimate>;
}

/** @param cwd - the folder of relative file names */
export function createFileEstimates(cwd: string, signal: AbortSignal): FileEstimates {
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
    estimate: async (file, settings) => {
      refuseProblems(settings, null);
      const header = await headerOf(file);
      refuseProblems(settings, header);
      return {
        report: estimateReport(header, settings),
        refusal: refuseModel(header),
        complete: header.complete,
      };
    },
  };
}
