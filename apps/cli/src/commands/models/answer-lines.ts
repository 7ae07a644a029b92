import { describeIncomplete, fileOfEstimateLine, parseEstimateLine, readLines } from '@mai/host';
import { knownError } from '../../exit-codes.js';
import type { CommandContext } from '../../context.js';
import { openHostOf } from '../../open-host.js';

/** `mai estimate --stdin`: answers each line when it arrives, a malformed line with its error. */
export async function answerLines(context: CommandContext): Promise<void> {
  const { io, output, signal } = context;
  await using host = await openHostOf(context);
  const warned = new Set<string>();
  const answer = async (line: string): Promise<object> => {
    try {
      const { file, settings, engine } = parseEstimateLine(line);
      const { report, refusal, complete } = await host.estimateFile(file, settings, engine);
      if (!complete && !warned.has(file)) {
        warned.add(file);
        output.warn(describeIncomplete(file));
      }
      return { file, ...report, refusal };
    } catch (error) {
      const known = knownError(error);
      if (known === null) throw error;
      const { code, message } = known;
      return { file: fileOfEstimateLine(line), error: { code, message } };
    }
  };
  for await (const line of readLines(io.stdin)) {
    signal.throwIfAborted();
    output.lineJson(await answer(line));
  }
}
