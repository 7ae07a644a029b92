import type { GgufHeader } from '@mai/memory-estimator';
import { readGgufHeader } from '@mai/memory-estimator';

/** The headers of model files, each read once. */
export interface HeaderShelf {
  /** @throws ModelFileError */
  readonly headerOf: (file: string) => Promise<GgufHeader>;
}

export function createHeaderShelf(signal: AbortSignal): HeaderShelf {
  const headers = new Map<string, Promise<GgufHeader>>();
  return {
    headerOf: (file) => {
      const known = headers.get(file);
      if (known !== undefined) return known;
      const reading = readGgufHeader(file, { signal });
      headers.set(file, reading);
      return reading;
    },
  };
}
