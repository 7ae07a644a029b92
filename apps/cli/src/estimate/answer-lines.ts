import { knownError } from '../exit-codes.js';
import type { CommandContext } from '../context.js';
import { openHostOf } from '../open-host.js';
import { SCHEMA_VERSION } from '../terminal/output.js';
import { fileOfLine, parseRequestLine } from './parse-request-line.js';
import { readLines } from './read-lines.js';

/**
 * `mai estimate --stdin`: answers each line as it arrives; a wrong line gets its error as the
 * answer.
 */
export async function answerLines(context: CommandContext): Promise<void> {
  const { io, output, signal } = context;
  await using host = await openHostOf(context);
  const warned = new Set<string>();
  const answer = async (line: string): Promise<object> => {
    try {
      const { file, settings } = parseRequestLine(line);
      const { report, complete } = await host.estimateFile(file, settings);
      if (!complete && !warned.has(file)) {
        warned.add(file);
        output.warn(`${file} is a header or an unfinished download: its weights can't be loaded.`);
      }
      return { schemaVersion: SCHEMA_VERSION, file, ...report };
    } catch (error) {
      const known = knownError(error);
      if (known === null) throw error;
      const { code, message } = known;
      return { schemaVersion: SCHEMA_VERSION, file: fileOfLine(line), error: { code, message } };
    }
  };
  for await (const line of readLines(io.stdin)) {
    signal.throwIfAborted();
    output.result(`${JSON.stringify(await answer(line))}\n`);
  }
}
