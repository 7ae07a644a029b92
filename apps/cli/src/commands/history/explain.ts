import { describeRuntime, episodeJson, formatMoment, parseDecisionsQuery } from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { renderHistory } from '../../views/history/explain-view.js';

/** `mai explain [WHEN | ID]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const nowMs = io.nowMs();
  const when = input.positionals.join(' ');
  const query = parseDecisionsQuery(when, input.integer('last', 1), nowMs);
  await using host = await openHostOf(context);
  const { log, address, episodes, unreadable } = await host.decisions(query);
  for (const { file, line } of unreadable) {
    output.warn(`${file}:${line} is left out, because it is not a record of a decision.`);
  }
  if (output.json) {
    output.resultJson({ log, decisions: episodes.map(episodeJson) });
  } else if (episodes.length > 0) {
    output.result(renderHistory(episodes, nowMs, output));
  } else {
    const { id, untilMs } = query;
    const upTo =
      id !== undefined
        ? `with the identifier ${id}`
        : untilMs === undefined
          ? 'yet'
          : `up to ${formatMoment(untilMs, nowMs)}`;
    output.result(
      `The log for ${describeRuntime(address, null)} has no decision ${upTo}. \`mai watch\` and \`mai serve\` write the log. Each runtime has a log of its own: choose another one with --url or --runtime.\n`,
    );
  }
  return EXIT.success;
}
