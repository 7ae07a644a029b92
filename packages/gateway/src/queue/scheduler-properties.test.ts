import fc from 'fast-check';
import { createFakeClock } from '../../test/fakes/fake-clock.js';
import { FakeMachine, type FakeModel, wantsKey } from '../../test/fakes/fake-serving.js';
import { ANY_MODEL } from '../ports/serving-port.js';
import type { ServingRequest } from '../ports/serving-port.js';
import { createScheduler } from './create-scheduler.js';
import { type Place, SchedulingFailure } from './scheduler.js';

const GB = 1_000_000_000;
const MODELS: readonly FakeModel[] = [
  {
    modelKey: 'a',
    sizeBytes: 6 * GB,
    loadMs: 2000,
    tier: 'large',
    capabilities: ['chat', 'tools'],
  },
  { modelKey: 'b', sizeBytes: 5 * GB, loadMs: 1500, capabilities: ['chat', 'vision'] },
  { modelKey: 'c', sizeBytes: 2 * GB, loadMs: 300, tier: 'small', contextLengthTokens: 2048 },
  { modelKey: 'e', sizeBytes: GB, loadMs: 200, tier: 'small', capabilities: ['embedding'] },
  { modelKey: 'huge', sizeBytes: 99 * GB, loadMs: 1, capabilities: ['chat'] },
];
const WANTED: readonly ServingRequest[] = [
  ANY_MODEL,
  { ...ANY_MODEL, capabilities: ['tools'] },
  { ...ANY_MODEL, capabilities: ['vision'] },
  { ...ANY_MODEL, capabilities: ['embedding'] },
  { ...ANY_MODEL, tiers: ['small'], capabilities: ['chat'] },
  { ...ANY_MODEL, minContextLengthTokens: 4096 },
  wantsKey('a'),
  wantsKey('b'),
  wantsKey('c'),
  wantsKey('huge'),
  wantsKey('unknown'),
];
const LIMITS = { waitingMax: 12, waitingPerClientMax: 6 };

type Step =
  | {
      readonly kind: 'arrive';
      readonly wanted: number;
      readonly client: number;
      readonly priority: number;
      readonly deadlineMs: number;
      readonly prompt: number;
    }
  | { readonly kind: 'finish'; readonly which: number; readonly outcome: 'done' | 'failed' }
  | { readonly kind: 'abort' | 'crash' | 'drain'; readonly which: number }
  | { readonly kind: 'switched' }
  | { readonly kind: 'broken'; readonly is: boolean }
  | { readonly kind: 'advance'; readonly ms: number };

const index = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('arrive' as const),
      wanted: fc.nat({ max: WANTED.length - 1 }),
      client: fc.nat({ max: 3 }),
      priority: fc.nat({ max: 1 }),
      deadlineMs: fc.constantFrom(10, 3000, 30_000, 600_000),
      prompt: fc.constantFrom(0, 100, 3000, 8000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('finish' as const),
      which: index,
      outcome: fc.constantFrom(
        'done' as const,
        'done' as const,
        'done' as const,
        'failed' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('abort', 'crash', 'drain'), which: index }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'switched' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('broken' as const), is: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 1, 100, 249, 250, 1000, 2000, 7000),
    }),
  },
);

/** Whether a model meets a request, written apart from the scheduler's rule. */
function meets(place: Place, wanted: ServingRequest): boolean {
  const model = MODELS.find(({ modelKey }) => modelKey === place.lease.modelKey);
  if (model === undefined) return false;
  const { tier = 'medium', capabilities = ['chat'], contextLengthTokens = 8192 } = model;
  return (
    (wanted.modelKey ?? model.modelKey) === model.modelKey &&
    (wanted.tiers ?? [tier]).includes(tier) &&
    wanted.capabilities.every((one) => capabilities.includes(one)) &&
    contextLengthTokens >= (wanted.minContextLengthTokens ?? 0)
  );
}

async function play(steps: readonly Step[]): Promise<void> {
  const clock = createFakeClock();
  const machine = new FakeMachine(clock, 10 * GB, MODELS);
  const scheduler = createScheduler({ port: machine, clock, limits: LIMITS });
  const running: Place[] = [];
  const waiting = new Set<AbortController>();
  const ends: string[] = [];
  const faults: string[] = [];
  let arrived = 0;

  const arrive = (one: Extract<Step, { kind: 'arrive' }>): void => {
    const wanted = WANTED[one.wanted] ?? ANY_MODEL;
    const abort = new AbortController();
    arrived += 1;
    waiting.add(abort);
    const place = scheduler.place({
      ...one,
      wanted,
      promptTokens: () => one.prompt,
      client: `client ${one.client}`,
      again: false,
      signal: abort.signal,
      onWait: ({ position }) => {
        if (position < 1 || position > LIMITS.waitingMax) faults.push(`position ${position}`);
      },
    });
    void place
      .then(
        (given) => {
          ends.push('placed');
          running.push(given);
          const { lease } = given;
          const [known] = machine.leases.filter((other) => other === lease);
          if (!meets(given, wanted)) faults.push(`${lease.modelKey} does not serve the request`);
          if (known?.releases !== 0) faults.push('a released lease');
          if (abort.signal.aborted) faults.push('a place for a client that has gone');
        },
        (error: unknown) => {
          const isOwn = error instanceof SchedulingFailure;
          if (!isOwn && !abort.signal.aborted) faults.push(`threw ${String(error)}`);
          ends.push('refused');
        },
      )
      .finally(() => waiting.delete(abort));
  };
  const finish = (which: number, outcome: 'done' | 'failed'): void => {
    if (running.length === 0) return;
    for (const place of running.splice(which % running.length, 1)) place.release(outcome);
  };

  for (const one of steps) {
    switch (one.kind) {
      case 'arrive':
        arrive(one);
        break;
      case 'finish':
        finish(one.which, one.outcome);
        break;
      case 'abort':
        // A place that the step before has given reaches its client first.
        await clock.advance(0);
        [...waiting][one.which % Math.max(1, waiting.size)]?.abort(new Error('gone'));
        break;
      case 'crash':
      case 'drain': {
        // A place that the step before has given reaches its client before the resident is lost.
        await clock.advance(0);
        const identifiers = [...machine.residents.keys()];
        const instanceIdentifier = identifiers[one.which % Math.max(1, identifiers.length)];
        if (instanceIdentifier === undefined) break;
        if (one.kind === 'crash') machine.crash(instanceIdentifier);
        else machine.emit({ type: 'draining', instanceIdentifier });
        break;
      }
      case 'switched':
        machine.emit({ type: 'switched' });
        break;
      case 'broken':
        machine.failure = one.is ? Object.assign(new Error('off'), { code: 'SERVER_OFF' }) : null;
        break;
      case 'advance':
        await clock.advance(one.ms);
        break;
    }
    const { waiting: count, lanes } = scheduler.state();
    if (count > LIMITS.waitingMax) faults.push(`${count} wait`);
    const onLanes = lanes.reduce((sum, lane) => sum + lane.running, 0);
    if (onLanes > running.length + waiting.size) faults.push(`${onLanes} run on lanes`);
  }
  // Every request ends: the machine works again, what runs finishes, and time passes.
  machine.failure = null;
  machine.emit({ type: 'switched' });
  for (let round = 0; round < 100 && (running.length > 0 || waiting.size > 0); round += 1) {
    while (running.length > 0) finish(0, 'done');
    await clock.advance(10_000);
  }
  while (running.length > 0) finish(0, 'done');
  const drained = scheduler.drain();
  await clock.advance(0);
  await drained;
  // Loads that were given up end, and their leases are given back.
  await clock.advance(100_000);
  expect(faults).toEqual([]);
  expect(ends).toHaveLength(arrived);
  expect(machine.leases.map(({ releases }) => releases)).toEqual(machine.leases.map(() => 1));
  expect(machine.openAcquires).toBe(0);
  expect(machine.listeners.size).toBe(0);
  expect(clock.pending).toBe(0);
}

test('no request is lost or served by a wrong or closed lane, the bounds hold, and each lease is released once', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), play), {
    numRuns: 200,
  });
});

test('a scheduler that is disposed of at any time leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: WANTED.length - 1 }), { maxLength: 12 }),
      index,
      async (wanted, ms) => {
        const clock = createFakeClock();
        const machine = new FakeMachine(clock, 10 * GB, MODELS);
        const scheduler = createScheduler({ port: machine, clock });
        const places = wanted.map((one) =>
          scheduler.place({
            wanted: WANTED[one] ?? ANY_MODEL,
            promptTokens: () => 3000,
            client: 'c',
            priority: 0,
            deadlineMs: 600_000,
            again: false,
            signal: new AbortController().signal,
            onWait: () => undefined,
          }),
        );
        const ended = Promise.allSettled(places);
        await clock.advance(ms * 6);
        await scheduler[Symbol.asyncDispose]();
        await ended;
        await clock.advance(10_000);
        expect(machine.leases.every(({ releases }) => releases === 1)).toBe(true);
        expect(machine.openAcquires + machine.listeners.size + clock.pending).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});
