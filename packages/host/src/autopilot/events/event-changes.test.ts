import type { AutopilotEvent } from '@mai/autopilot';
import { DEFAULT_LOAD_CONFIG, DEFAULT_SELECTION_POLICY, type Footprint } from '@mai/memory-ledger';
import { NO_REQUIREMENT, selectModel, type Resident } from '@mai/selector';
import { createEventChanges } from './event-changes.js';

const GIB = 1024 ** 3;
const LOAD_CONFIG = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

function footprint(gib: number): Footprint {
  return {
    ram: { mappedBytes: 0, anonymousBytes: gib * GIB },
    gpus: [],
    interval: null,
    growth: null,
    source: 'gguf-header',
    confidence: 'high',
  };
}

function candidate(modelKey: string, gib: number) {
  return {
    modelKey,
    displayName: modelKey,
    tier: 'medium' as const,
    capabilities: [],
    downloaded: true,
    maxContextLengthTokens: null,
    loadOptions: [
      {
        loadConfig: LOAD_CONFIG,
        footprint: footprint(gib),
        guardrails: null,
        speed: null,
        quality: null,
        tradeOffs: [],
      },
    ],
    refusal: null,
    expandedFrom: null,
    coolingDownUntilMs: null,
    observedGrowth: [],
    ttlMs: null,
  };
}

const LOADED: Resident = {
  instanceIdentifier: 'mai/large',
  modelKey: 'large',
  loadConfig: LOAD_CONFIG,
  footprint: footprint(12),
  busy: false,
  idleInMs: null,
  speed: null,
  pinned: false,
  foreign: false,
  lastUsedAtMs: null,
  observation: null,
};

type Decided = Extract<AutopilotEvent, { type: 'decided' }>;

/** A decision on a machine with 32 GiB. */
function decided(
  atMs: number,
  availableGib: number,
  facts: {
    readonly resident?: Partial<Resident> | null;
    readonly verdict?: Partial<Decided['verdict']>;
    readonly target?: Decided['target'];
  } = {},
): Decided {
  const { resident = {}, verdict = {}, target = null } = facts;
  const input = {
    candidates: [candidate('large', 12), candidate('small', 4)],
    requirement: NO_REQUIREMENT,
    resources: {
      timestampMs: atMs,
      observable: true,
      ram: {
        totalBytes: 32 * GIB,
        availableBytes: availableGib * GIB,
        mappedCountsAsUsed: false,
      },
      unified: false,
      gpus: [],
      cpu: { utilizationRatio: 0, othersRatio: 0 },
    },
    residents: resident === null ? [] : [{ ...LOADED, ...resident }],
    policy: DEFAULT_SELECTION_POLICY,
  };
  return {
    type: 'decided',
    id: null,
    atMs,
    target,
    input,
    selection: selectModel(input),
    verdict: { act: false, reason: 'STEADY', waitMs: null, upgradeBelowRatio: 0.75, ...verdict },
    timeToHardLimitMs: null,
  };
}

const changes = () => createEventChanges((error) => ({ message: String(error) }));

describe('a decision', () => {
  it.each([
    ['the free memory', decided(1000, 14.5)],
    ['the time until it may change', decided(1000, 15, { verdict: { waitMs: 5 } })],
  ])('is not reported again where only a figure has changed: %s', (_name, next) => {
    const changeOf = changes();
    expect(changeOf(decided(0, 15))).toMatchObject({ type: 'decided', decision: 'keep' });
    expect(changeOf(next)).toBeNull();
  });

  it.each([
    ['the choice', decided(1000, 15, { resident: null })],
    ['the reason of the verdict', decided(1000, 15, { verdict: { reason: 'DWELLING' } })],
    ['whether it is carried out', decided(1000, 15, { verdict: { act: true } })],
    ['that a model generates', decided(1000, 15, { resident: { busy: true } })],
    ['a pin', decided(1000, 15, { resident: { pinned: true } })],
    ['the reason of a rejection', decided(1000, 2)],
  ])('is reported where a change concerns %s', (_name, next) => {
    const changeOf = changes();
    changeOf(decided(0, 15));
    expect(changeOf(next)).toMatchObject({ type: 'decided', atMs: 1000 });
  });

  it('is reported once a minute without a change, with the present figures, also where the clock is set back', () => {
    const changeOf = changes();
    const first = changeOf(decided(0, 15));
    expect(changeOf(decided(59_999, 14))).toBeNull();
    const second = changeOf(decided(60_000, 14));
    expect(second).toMatchObject({ atMs: 60_000, pools: [{ pool: 'ram' }] });
    expect(second).not.toMatchObject({
      headroomBytes: first && Reflect.get(first, 'headroomBytes'),
    });
    expect(changeOf(decided(60_001, 14))).toBeNull();
    expect(changeOf(decided(-1000, 14))).not.toBeNull();
  });

  it('is compared with the last one of the same target', () => {
    const target = { chain: 'coding', modelKey: null, instanceIdentifier: null };
    const changeOf = changes();
    changeOf(decided(0, 15));
    expect(changeOf(decided(1000, 15, { target }))).toMatchObject({ target: { chain: 'coding' } });
    expect(changeOf(decided(2000, 15))).toBeNull();
    expect(changeOf(decided(3000, 15, { target }))).toBeNull();
  });

  it('is reported after a switch, even if it is the same as before', () => {
    const changeOf = changes();
    changeOf(decided(0, 15));
    const report = {
      outcome: 'kept',
      instanceIdentifier: null,
      failures: [],
      busy: [],
      forced: [],
      loaded: [],
      unloaded: [],
      restored: [],
    } as unknown as Extract<AutopilotEvent, { type: 'switch-finished' }>['report'];
    expect(
      changeOf({ type: 'switch-finished', atMs: 1, reason: 'REQUESTED', report, tookMs: 1 }),
    ).toMatchObject({ outcome: 'kept' });
    expect(changeOf(decided(1000, 15))).not.toBeNull();
  });
});

test('the progress of a load is reported once for each tenth', () => {
  const changeOf = changes();
  const progress = (progressRatio: number) =>
    changeOf({
      type: 'switch-step',
      atMs: 0,
      step: {
        type: 'loading',
        modelKey: 'large',
        instanceIdentifier: 'mai/large',
        loadConfig: LOAD_CONFIG,
        progressRatio,
      },
    }) !== null;
  const told = Array.from({ length: 101 }, (_, percent) => percent).filter((percent) =>
    progress(percent / 100),
  );
  expect(told).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  // The next load begins again.
  changeOf({ type: 'started', atMs: 0 });
  expect(progress(0)).toBe(true);
});

test('every other event is reported', () => {
  const changeOf = changes();
  const fault = { type: 'fault', atMs: 0, error: 'away', retryAtMs: 1 } as const;
  expect([changeOf(fault), changeOf(fault)]).toEqual([
    { ...fault, error: { message: 'away' } },
    { ...fault, error: { message: 'away' } },
  ]);
});
