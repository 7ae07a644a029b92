import {
  asServed,
  decisionIdOf,
  describeRuntime,
  type Episode,
  explainEpisode,
  formatMoment,
  parseDecisionId,
  parseMoment,
} from '@mai/host';
import type { Input } from '../../arguments/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';
import { renderHistory } from '../../views/history/explain-view.js';

const LAST_DEFAULT = 5;

/** `mai explain [WHEN | ID]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const nowMs = io.nowMs();
  const when = input.positionals.join(' ');
  const untilMs = when === '' ? null : parseMoment(when, nowMs, 'last');
  const id = untilMs === null && parseDecisionId(when) !== null ? when : null;
  if (when !== '' && untilMs === null && id === null) {
    throw new UsageError(
      `WHEN must be a past time, such as 14:05, 2031-05-04T14:05 or 10m ago, or the identifier of a decision, not ${JSON.stringify(when)}.`,
    );
  }
  const count = input.integer('last', 1) ?? (untilMs === null ? LAST_DEFAULT : 1);
  await using host = await openHostOf(context);
  const history = await host.decisions({
    count,
    ...(untilMs === null ? {} : { untilMs }),
    ...(id === null ? {} : { id }),
  });
  const { log, address, episodes, unreadable } = history;
  for (const { file, line } of unreadable) {
    output.warn(`${file}:${line} is left out, because it is not a record of a decision.`);
  }
  if (output.json) {
    output.resultJson({ log, decisions: episodes.map(episodeJson) });
  } else if (episodes.length > 0) {
    output.result(renderHistory(episodes, nowMs, output));
  } else {
    const upTo =
      id !== null
        ? `with the identifier ${id}`
        : untilMs === null
          ? 'yet'
          : `up to ${formatMoment(untilMs, nowMs)}`;
    output.result(
      `The log for ${describeRuntime(address, null)} has no decision ${upTo}. \`mai watch\` and \`mai serve\` write the log.\n`,
    );
  }
  return EXIT.success;
}

function episodeJson(episode: Episode) {
  const { record, outcome, untilMs, lastSeenMs } = episode;
  const { version: recordVersion, selection, hysteresis, input, sequence, atMs } = record;
  const { headline, sentences } = explainEpisode(episode);
  return {
    id: decisionIdOf(record),
    recordVersion,
    sequence,
    atMs,
    untilMs,
    lastSeenMs,
    text: [headline, ...sentences.map(([label, text]) => `${label}: ${text}`)],
    selection: asServed(selection, input),
    verdict: hysteresis.verdict,
    timeToHardLimitMs: hysteresis.timeToHardLimitMs,
    resources: input.resources,
    outcome,
  };
}
