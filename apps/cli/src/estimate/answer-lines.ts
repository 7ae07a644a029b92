import path from 'node:path';
import type { GgufHeader } from '@mai/memory-estimator';
import { estimateReport, readGgufHeader } from '@mai/memory-estimator';
import type { CommandContext } from '../context.js';
import { knownError } from '../exit-codes.js';
import { SCHEMA_VERSION } from '../terminal/output.js';
import { checkSettings } from './check-settings.js';
import { fileOfLine, parseRequestLine } from './parse-request-line.js';
import { readLines } from './read-lines.js';

/** Headers that are kept while lines are answered: a sweep asks about the same few files. */
const KEPT_HEADERS = 16;

/** `mai estimate --stdin`: an answer for each line, as it comes; a line that fails says why. */
export async function answerLines({ io, output, signal }: CommandContext): Promise<void> {
  const headers = new Map<string, Promise<GgufHeader>>();
  const warned = new Set<string>();
  const read = async (file: string): Promise<GgufHeader> => {
    const header = await readGgufHeader(path.resolve(io.cwd, file), { signal });
    if (!header.complete && !warned.has(file)) {
      warned.add(file);
      output.warn(`${file} is a header or an unfinished download: its weights can't be loaded.`);
    }
    return header;
  };
  const headerOf = (file: string) => {
    const kept = headers.get(file) ?? read(file);
    headers.delete(file);
    headers.set(file, kept);
    // A file that is not there now may be there for the next line.
    kept.catch(() => headers.delete(file));
    const oldest = headers.keys().next().value;
    if (headers.size > KEPT_HEADERS && oldest !== undefined) headers.delete(oldest);
    return kept;
  };
  for await (const line of readLines(io.stdin)) {
    signal.throwIfAborted();
    output.result(`${JSON.stringify(await answer(line, headerOf))}\n`);
  }
}

async function answer(
  line: string,
  headerOf: (file: string) => Promise<GgufHeader>,
): Promise<object> {
  try {
    const { file, settings } = parseRequestLine(line);
    checkSettings(settings);
    const header = await headerOf(file);
    checkSettings(settings, header);
    const report = estimateReport(header, settings);
    return { schemaVersion: SCHEMA_VERSION, file, ...report };
  } catch (error) {
    const known = knownError(error);
    if (known === null) throw error;
    const { code, message } = known;
    return { schemaVersion: SCHEMA_VERSION, file: fileOfLine(line), error: { code, message } };
  }
}
