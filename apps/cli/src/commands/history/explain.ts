import {
  asServed,
  displayAddress,
  type Episode,
  explainEpisode,
  formatMoment,
  parseMoment,
} from '@mai/host';
import type { Input } from '../../command-line/input.js';
import type { CommandContext } from '../../context.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { openHostOf } from '../../open-host.js';
import { UsageError } from '../../usage-error.js';
import { renderHistory } from '../../views/history/explain-view.js';

const LAST_DEFAULT = 5;

/** `mai explain [WHEN]`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const nowMs = io.nowMs();
  const untilMs = momentOf(input.positionals.join(' '), nowMs);
  const count = input.integer('last', 1) ?? (untilMs === null ? LAST_DEFAULT : 1);
  await using host = await openHostOf(context);
  const history = await host.decisions(untilMs === null ? { count } : { count, untilMs });
  const { log, address, episodes, unreadable } = history;
  for (const { file, line } of unreadable) {
    output.warn(`${file}:${line} is left out, because it is not a record of a decision.`);
  }
  if (output.json) {
    output.resultJson({ log, decisions: episodes.map(episodeJson) });
  } else if (episodes.length > 0) {
    output.result(renderHistory(episodes, nowMs, output));
  } else {
    const upTo = untilMs === null ? 'yet' : `up to ${formatMoment(untilMs, nowMs)}`;
    output.result(
      `The log for the LM Studio at ${displayAddress(address)} has no decision ${upTo}. \`mai watch\` writes the log.\n`,
    );
  }
  return EXIT.success;
}

function momentOf(when: string, nowMs: number): number | null {
  if (when === '') return null;
  const untilMs = parseMoment(when, nowMs, 'last');
  if (untilMs !== null) return untilMs;
  throw new UsageError(
    `WHEN must be a past time, such as 14:05, 2031-05-04T14:05 or 10m ago, not ${JSON.stringify(when)}.`,
  );
}

function episodeJson(episode: Episode) {
  const { record, outcome, untilMs, lastSeenMs } = episode;
  const { version: recordVersion, selection, hysteresis, input, sequence, atMs } = record;
  const { headline, sentences } = explainEpisode(episode);
  return {
    ...{ recordVersion, sequence, atMs, untilMs, lastSeenMs },
    text: [headline, ...sentences.map(([label, text]) => `${label}: ${text}`)],
    selection: asServed(selection, input),
    verdict: hysteresis.verdict,
    timeToHardLimitMs: hysteresis.timeToHardLimitMs,
    resources: input.resources,
    outcome,
  };
}
