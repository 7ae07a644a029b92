import type { DecisionEpisode } from '../../ports/control-facts.js';
import { notFound } from '../control-failure.js';
import { poolChangesView, rejectionView } from '../views/memory-views.js';
import { speedView } from '../views/speed-view.js';
import type { AnswerOf, HandlerParts } from './handlers.js';

/** How many decisions one answer to a search looks at. Its cursor goes on from there. */
const SEARCHED_MAX = 1000;

interface Cursor {
  readonly atMs: number;
  readonly sequence: number;
}

/** Answers `decisions`. */
export async function listDecisions(
  { machine, words }: HandlerParts,
  {
    search = '',
    before,
    limit,
  }: {
    readonly search?: string | undefined;
    readonly before?: string | undefined;
    readonly limit: number;
  },
  signal: AbortSignal,
): Promise<AnswerOf<'decisions'>> {
  const cursor = before === undefined ? null : parseCursor(before);
  const wanted = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const span = wanted.length === 0 ? limit + 1 : SEARCHED_MAX;
  // One more, because the decision of the cursor itself is read again.
  const count = cursor === null ? span : span + 1;
  const query = cursor === null ? { count } : { count, untilMs: cursor.atMs };
  const { episodes, unreadable } = await machine.decisions(query, { signal });
  const newestFirst = [...episodes].reverse().filter(({ record }) => isBefore(record, cursor));
  const found = newestFirst.filter((episode) => isFound(episode, wanted, words));
  const shown = found.slice(0, limit);
  const mayHaveOlder = episodes.length >= count;
  const last = found.length > limit ? shown.at(-1) : mayHaveOlder ? newestFirst.at(-1) : undefined;
  return {
    decisions: shown.map((episode) => summaryOf(episode, words)),
    next: last === undefined ? null : `${last.record.atMs}-${last.record.sequence}`,
    unreadableLines: unreadable.length,
  };
}

/** Answers `decision` and, without an id, `explain`: the last decision. */
export async function explainDecision(
  { machine, words }: HandlerParts,
  id: string | null,
  signal: AbortSignal,
): Promise<AnswerOf<'decision'>> {
  const query = id === null ? { count: 1 } : { count: 1, id };
  const { episodes } = await machine.decisions(query, { signal });
  const episode = episodes.findLast(
    ({ record }) => id === null || words.decisionIdOf(record) === id,
  );
  if (episode === undefined) {
    throw notFound(
      'DECISION_NOT_FOUND',
      id === null
        ? 'No decision has been logged yet. The autopilot writes the log.'
        : `The log has no decision ${JSON.stringify(id)}. It may have been removed because it was old.`,
    );
  }
  const { record, outcome } = episode;
  const { selection, input } = record;
  return {
    ...summaryOf(episode, words),
    sentences: words.explainEpisode(episode).sentences.map(([label, text]) => ({ label, text })),
    pools: poolChangesView(selection.pools, input.resources, words),
    headroomBytes: selection.headroomBytes,
    speed: speedView(selection.chosen?.loadOption.speed ?? null),
    quality: selection.chosen?.loadOption.quality ?? null,
    rejected: selection.rejected.map(({ modelKey, rejection }) => ({
      modelKey,
      rejection: rejectionView(rejection, words),
    })),
    unloads: selection.plan.steps.flatMap((step) =>
      step.action === 'unload' ? [step.instanceIdentifier] : [],
    ),
    failures: (outcome?.failures ?? []).map(({ modelKey, message }) => ({ modelKey, message })),
  };
}

function summaryOf(
  episode: DecisionEpisode,
  words: HandlerParts['words'],
): AnswerOf<'decisions'>['decisions'][number] {
  const { record, outcome, untilMs } = episode;
  const { selection, hysteresis } = record;
  return {
    id: words.decisionIdOf(record),
    atMs: record.atMs,
    untilMs,
    decision: selection.decision,
    direction: selection.direction,
    modelKey: selection.chosen?.modelKey ?? null,
    reason: hysteresis.verdict.reason,
    acted: hysteresis.verdict.act,
    outcome: outcome?.outcome ?? null,
    tookMs: outcome?.tookMs ?? null,
    headline: words.explainEpisode(episode).headline,
  };
}

function isFound(
  episode: DecisionEpisode,
  wanted: readonly string[],
  words: HandlerParts['words'],
): boolean {
  if (wanted.length === 0) return true;
  const { selection, hysteresis } = episode.record;
  const { headline, sentences } = words.explainEpisode(episode);
  const text = [
    words.decisionIdOf(episode.record),
    headline,
    ...sentences.map(([label, sentence]) => `${label} ${sentence}`),
    selection.decision,
    hysteresis.verdict.reason,
    selection.chosen?.modelKey ?? '',
    ...selection.rejected.map(({ modelKey, rejection }) => `${modelKey} ${rejection.code}`),
  ]
    .join('\n')
    .toLowerCase();
  return wanted.every((word) => text.includes(word));
}

function parseCursor(text: string): Cursor {
  const [atMs = '', sequence = ''] = text.split('-');
  return { atMs: Number(atMs), sequence: Number(sequence) };
}

function isBefore(record: Cursor, cursor: Cursor | null): boolean {
  if (cursor === null || record.atMs < cursor.atMs) return true;
  return record.atMs === cursor.atMs && record.sequence < cursor.sequence;
}
