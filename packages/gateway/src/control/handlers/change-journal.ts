import { totalBytesOf } from '@mai/memory-ledger';
import type { JournalFacts, YieldEffect } from '../../ports/control-port.js';
import type { AnswerOf, HandlerParts } from './handlers.js';
import { journalView } from '../views/journal-view.js';
import { footprintView, poolChangesView } from '../views/memory-views.js';

type Change = AnswerOf<'pin'>;

/** Answers `pin`. With `dryRun` the pin is added to the answer alone. */
export async function pin(
  { machine, readings, clock }: HandlerParts,
  { target, dryRun }: { readonly target: string; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<Change> {
  const { journal } = await machine.pin(target, { dryRun, signal });
  if (!dryRun) readings.forget();
  const isThere = journal.pins.some((one) => one.target === target);
  const added = { target, reason: 'pin', sinceMs: clock.nowMs() } as const;
  return changeOf(
    'pin',
    dryRun,
    `${dryRun ? 'Keeps' : 'Keeps from now on'} ${target} loaded: nothing unloads it.`,
    isThere || !dryRun ? journal : { ...journal, pins: [...journal.pins, added] },
  );
}

/** Answers `unpin`. */
export async function unpin(
  { machine, readings }: HandlerParts,
  request: { readonly target: string | null; readonly all: boolean; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<Change> {
  const { target, all, dryRun } = request;
  const { journal, unpinned } = await machine.unpin({ target, all }, { dryRun, signal });
  if (!dryRun) readings.forget();
  return changeOf(
    'unpin',
    dryRun,
    unpinned.length === 0
      ? 'Nothing is pinned, so nothing changes.'
      : `${unpinned.join(', ')} may be unloaded ${dryRun ? 'then' : 'again'}.`,
    { ...journal, pins: journal.pins.filter((one) => !unpinned.includes(one.target)) },
  );
}

/** Answers `yield`. */
export async function yieldMemory(
  { machine, readings, words }: HandlerParts,
  {
    dryRun,
    ...request
  }: {
    readonly bytes: number;
    readonly pools: 'ram' | 'gpu' | 'all';
    readonly name: string | null;
    readonly untilMs: number | null;
    readonly dryRun: boolean;
  },
  signal: AbortSignal,
): Promise<Change> {
  const [answer, { resources }] = await Promise.all([
    machine.yieldMemory(request, { dryRun, signal }),
    readings.status(),
  ]);
  if (!dryRun) readings.forget();
  const { yield: added, journal, effect } = answer;
  const others = journal.yields.filter((one) => one.name !== added.name);
  const all = resources.gpus.length === 0 ? 'RAM' : 'RAM and GPU memory';
  const where = { ram: 'RAM', gpu: 'GPU memory', all }[added.pools];
  const kept = `Keeps ${words.formatBytes(added.bytes)} of ${where} free (${added.name}).`;
  // A decision that waits for a busy model does not say yet what is unloaded.
  const isKnown = effect !== null && effect.selection.decision !== 'wait';
  const facts = isKnown ? effectView(effect, words) : null;
  return {
    ...changeOf(
      'yield',
      dryRun,
      `${kept} ${facts?.sentence ?? 'Models that are in the way are unloaded.'}`,
      { ...journal, yields: [...others, added] },
    ),
    ...facts?.effect,
  };
}

/** What a yield would unload and load, and the pools then. */
function effectView(
  { selection, input }: YieldEffect,
  words: HandlerParts['words'],
): { readonly sentence: string; readonly effect: Pick<Change, 'unloads' | 'loads' | 'pools'> } {
  const { chosen, plan, pools } = selection;
  const unloads = plan.steps.flatMap((step) => {
    if (step.action !== 'unload') return [];
    const { instanceIdentifier } = step;
    const resident = input.residents.find((one) => one.instanceIdentifier === instanceIdentifier);
    const footprint = resident?.footprint ?? null;
    return {
      modelKey: resident?.modelKey ?? instanceIdentifier,
      instanceIdentifier,
      freesBytes: footprint === null ? null : totalBytesOf(footprint),
    };
  });
  const loads = plan.steps.flatMap((step) =>
    step.action !== 'load'
      ? []
      : {
          modelKey: step.modelKey,
          instanceIdentifier: null,
          loadConfig: null,
          footprint:
            chosen === null || chosen.footprint === null ? null : footprintView(chosen.footprint),
        },
  );
  const sentence =
    unloads.length + loads.length === 0
      ? 'No model has to be unloaded for it.'
      : loads.length === 0 && chosen === null
        ? 'No other model of the chain fits then.'
        : 'The autopilot then makes these changes.';
  return {
    sentence,
    effect: { unloads, loads, pools: poolChangesView(pools, input.resources, words) },
  };
}

/** Answers `endYield`. */
export async function endYield(
  { machine, readings }: HandlerParts,
  { name, dryRun }: { readonly name: string | null; readonly dryRun: boolean },
  signal: AbortSignal,
): Promise<Change> {
  const { journal, released } = await machine.endYield(name, { dryRun, signal });
  if (!dryRun) readings.forget();
  const names = released.map((one) => one.name);
  return changeOf(
    'end-yield',
    dryRun,
    names.length === 0
      ? 'No memory is kept free, so nothing changes.'
      : `Models may use the memory ${dryRun ? 'then' : 'again'} that was kept free for ${names.map((one) => `"${one}"`).join(', ')}.`,
    { ...journal, yields: journal.yields.filter((one) => !names.includes(one.name)) },
  );
}

function changeOf(
  action: Change['action'],
  dryRun: boolean,
  summary: string,
  journal: JournalFacts,
): Change {
  return {
    action,
    dryRun,
    summary,
    possible: true,
    loads: [],
    unloads: [],
    pools: [],
    warnings: [],
    ...journalView(journal),
  };
}
