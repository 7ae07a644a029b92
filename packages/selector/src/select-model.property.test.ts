import fc from 'fast-check';
import {
  candidate,
  footprint,
  GIB,
  input,
  LOAD_CONFIG,
  option,
  resident,
  resources,
} from '../test/build-input.js';
import { DEFAULT_SELECTION_POLICY, type Tier } from '@mai/memory-ledger';
import type { Requirement, SelectionInput } from './input.js';
import { selectModel } from './select-model.js';
import type { Selection } from './selection.js';

const TIERS: readonly Tier[] = ['large', 'medium', 'small'];

const print = fc
  .record({
    mapped: fc.integer({ min: 0, max: 30 }),
    anonymous: fc.integer({ min: 1, max: 20 }),
    gpu: fc.integer({ min: 0, max: 20 }),
    margin: fc.integer({ min: 0, max: 4 }),
    growth: fc.option(fc.integer({ min: 0, max: 8 })),
  })
  .map(({ mapped, anonymous, gpu, margin, growth }) =>
    footprint(
      { mapped, anonymous, ...(gpu === 0 ? {} : { gpus: { 'GPU-1': gpu } }) },
      { coverage: 0.9, lowBytes: 0, highBytes: (mapped + anonymous + gpu + margin) * GIB },
      growth === null
        ? null
        : {
            ramBytes: growth * GIB,
            gpus: gpu === 0 ? [] : [{ deviceKey: 'GPU-1', bytes: (growth * GIB) / 2 }],
          },
    ),
  );

/** Three load options with different contexts. The last one runs on the CPU. */
const OPTION_CONFIGS = [
  { ...LOAD_CONFIG, contextLengthTokens: 8192, offloadRatio: 1 },
  { ...LOAD_CONFIG, contextLengthTokens: 4096, offloadRatio: 1 },
  { ...LOAD_CONFIG, contextLengthTokens: 4096, offloadRatio: 0 },
];

/** A chain with falling tiers, as in real configurations. */
const chain = fc
  .array(fc.array(fc.option(print, { freq: 8 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((models) =>
    models.map((prints, index) =>
      candidate(
        `model-${index}`,
        prints.map((one, optionIndex) => ({
          ...option(one),
          loadConfig: OPTION_CONFIGS[optionIndex] ?? LOAD_CONFIG,
        })),
        { tier: TIERS[Math.floor((index * 3) / models.length)] ?? 'small' },
      ),
    ),
  );

const question: fc.Arbitrary<SelectionInput> = fc
  .record({
    candidates: chain,
    total: fc.integer({ min: 4, max: 128 }),
    availableRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    vram: fc.integer({ min: 1, max: 48 }),
    mappedCountsAsUsed: fc.boolean(),
    residents: fc.array(
      fc.record({
        model: fc.integer({ min: 0, max: 8 }),
        print,
        contextLengthTokens: fc.constantFrom(null, 4095, 4096, 4097, 8191, 8192, 8193, 65_536),
        offloadRatio: fc.constantFrom(null, 0, 1),
        busy: fc.boolean(),
        pinned: fc.boolean(),
        foreign: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    foreign: fc.constantFrom('observe' as const, 'evict' as const),
    growth: fc.constantFrom('charge' as const, 'reserve-share' as const, 'ignore' as const),
    upgradeMarginRatio: fc.constantFrom(null, 0.05, 0.2),
  })
  .map(({ total, availableRatio, vram, mappedCountsAsUsed, residents, foreign, growth, ...rest }) =>
    input({
      ...rest,
      policy: { ...DEFAULT_SELECTION_POLICY, foreign, growth },
      residents: residents.map(
        ({ model, print: size, contextLengthTokens, offloadRatio, ...facts }, index) =>
          resident(`model-${model}`, size, {
            ...facts,
            instanceIdentifier: `instance-${index}`,
            loadConfig: { ...LOAD_CONFIG, contextLengthTokens, offloadRatio },
          }),
      ),
      resources: {
        ...resources({ total, available: total * availableRatio }),
        ram: {
          totalBytes: total * GIB,
          availableBytes: Math.floor(total * availableRatio * GIB),
          mappedCountsAsUsed,
        },
        gpus: [
          {
            deviceKey: 'GPU-1',
            name: 'GPU',
            vendor: null,
            memory: 'dedicated',
            totalBytes: vram * GIB,
            availableBytes: Math.floor(vram * availableRatio * GIB),
          },
        ],
      },
    }),
  );

const requirement: fc.Arbitrary<Requirement> = fc.record({
  capabilities: fc.constantFrom([], ['chat'], ['chat', 'vision']),
  minContextLengthTokens: fc.constantFrom(null, 4096, 4097, 8192, 8193),
  tiers: fc.constantFrom(null, ...TIERS.map((tier) => [tier])),
});

/** The same input on a machine where most pools keep to their limits. */
function withMuchMemory(one: SelectionInput): SelectionInput {
  const bytes = { totalBytes: 512 * GIB, availableBytes: 400 * GIB };
  const { resources: before } = one;
  return {
    ...one,
    resources: {
      ...before,
      ram: { ...before.ram, ...bytes },
      gpus: before.gpus.map((gpu) => ({ ...gpu, ...bytes })),
    },
  };
}

const RUNS = { numRuns: 2_000 };

describe('for any machine and any chain', () => {
  it('gives the same decision for the same input', () => {
    fc.assert(
      fc.property(question, (one) => {
        expect(selectModel(structuredClone(one))).toEqual(selectModel(one));
      }),
      RUNS,
    );
  });

  it('never unloads a pinned or busy resident, nor a foreign one that the policy protects', () => {
    fc.assert(
      fc.property(question, (one) => {
        const untouchable = new Set(
          one.residents
            .filter(
              ({ pinned, busy, foreign }) =>
                pinned || busy || (foreign && one.policy.foreign === 'observe'),
            )
            .map(({ instanceIdentifier }) => instanceIdentifier),
        );
        for (const step of selectModel(one).plan.steps) {
          if (step.action === 'unload') expect(untouchable).not.toContain(step.instanceIdentifier);
        }
      }),
      RUNS,
    );
  });

  it('plans no load above the hard limit, by a sum that the test works out itself', () => {
    fc.assert(
      fc.property(question, (one) => {
        const { chosen, plan, decision } = selectModel(one);
        if (chosen === null || !['load', 'switch'].includes(decision)) return;
        const unloaded = new Set(
          plan.steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
        );
        const stays = one.residents.filter((r) => !unloaded.has(r.instanceIdentifier));
        const ramOf = (r: {
          footprint: SelectionInput['residents'][number]['footprint'];
        }): number => (r.footprint?.ram.mappedBytes ?? 0) + (r.footprint?.ram.anonymousBytes ?? 0);
        const { ram } = one.resources;
        const counted = one.residents.reduce(
          (sum, r) =>
            sum + ramOf(r) - (ram.mappedCountsAsUsed ? 0 : (r.footprint?.ram.mappedBytes ?? 0)),
          0,
        );
        const others = Math.max(0, ram.totalBytes - (ram.availableBytes ?? 0) - counted);
        const use = others + stays.reduce((sum, r) => sum + ramOf(r), 0) + ramOf(chosen);
        // Stepping down to the last candidate may go up to the hard limit.
        expect(use).toBeLessThanOrEqual(ram.totalBytes * one.policy.hardLimitRatio);
      }),
      RUNS,
    );
  });

  it('loads no second copy of a model while an equally good copy stays within the limits', () => {
    let loads = 0;
    fc.assert(
      fc.property(fc.oneof(question, question.map(withMuchMemory)), (one) => {
        const { chosen, plan, pools } = selectModel(one);
        const load = plan.steps.find(({ action }) => action === 'load');
        if (load === undefined || chosen === null) return;
        if (pools.some(({ useBeforeBytes, limitBytes }) => useBeforeBytes > limitBytes)) return;
        const unloaded = new Set(
          plan.steps.flatMap((step) => (step.action === 'unload' ? [step.instanceIdentifier] : [])),
        );
        const copies = one.residents.filter(
          ({ modelKey, instanceIdentifier }) =>
            modelKey === load.modelKey && !unloaded.has(instanceIdentifier),
        );
        if (copies.length > 0) loads += 1;
        // The loaded configuration, and all configurations that are preferred to it.
        for (const asked of OPTION_CONFIGS.slice(0, chosen.optionIndex + 1)) {
          for (const { loadConfig } of copies) {
            const { contextLengthTokens, offloadRatio } = loadConfig;
            const isLongEnough =
              contextLengthTokens === null || contextLengthTokens >= asked.contextLengthTokens;
            const isPlacedAlike = offloadRatio === null || offloadRatio === asked.offloadRatio;
            expect(isLongEnough && isPlacedAlike).toBe(false);
          }
        }
      }),
      RUNS,
    );
    // Fails when no generated case has such a copy, because the property would then test nothing.
    expect(loads).toBeGreaterThan(0);
  });

  it('leaves headroom in every pool that a chosen model uses', () => {
    fc.assert(
      fc.property(question, (one) => {
        const { chosen, headroomBytes, decision, notes } = selectModel(one);
        if (chosen === null || decision === 'wait') return;
        // A note says that others cause the shortage, and that no switch helps.
        if (decision === 'keep' && notes.some(({ code }) => code === 'ABOVE_LIMIT')) return;
        expect(headroomBytes).toBeGreaterThanOrEqual(0);
      }),
      RUNS,
    );
  });

  it('never chooses a less preferred model when there is more memory', () => {
    fc.assert(
      fc.property(question, fc.integer({ min: 1, max: 64 }), (one, more) => {
        // No residents, because a kept model and a loaded model are compared with different limits.
        const before = selectModel({ ...one, residents: [] });
        const { ram } = one.resources;
        const after = selectModel({
          ...one,
          residents: [],
          resources: {
            ...one.resources,
            ram: {
              ...ram,
              totalBytes: ram.totalBytes + more * GIB,
              availableBytes: (ram.availableBytes ?? 0) + more * GIB,
            },
          },
        });
        if (before.chosen === null) return;
        expect(after.chosen).not.toBeNull();
        const position = ({ chosen }: typeof before): number =>
          (chosen?.candidateIndex ?? 0) * 10 + (chosen?.optionIndex ?? 0);
        expect(position(after)).toBeLessThanOrEqual(position(before));
        expect(TIERS.indexOf(after.chosen?.tier ?? 'small')).toBeLessThanOrEqual(
          TIERS.indexOf(before.chosen.tier),
        );
      }),
      RUNS,
    );
  });

  it('chooses no model that does not meet the requirement, resident or not', () => {
    let chosenCount = 0;
    let unmetCount = 0;
    fc.assert(
      fc.property(question, requirement, (plain, required) => {
        const one = { ...plain, requirement: required };
        const { decision, chosen } = selectModel(one);
        if (chosen === null) {
          expect(['none', 'release', 'wait']).toContain(decision);
          if (selectModel(plain).decision === 'keep') unmetCount += 1;
          return;
        }
        chosenCount += 1;
        const serving = one.residents.find(
          ({ instanceIdentifier }) => instanceIdentifier === chosen.instanceIdentifier,
        );
        const { contextLengthTokens } = (serving ?? chosen.loadOption).loadConfig;
        const capabilities = one.candidates[chosen.candidateIndex]?.capabilities;
        expect(capabilities).toEqual(expect.arrayContaining([...required.capabilities]));
        if (required.tiers !== null) expect(required.tiers).toContain(chosen.tier);
        if (required.minContextLengthTokens !== null) {
          expect(contextLengthTokens).toBeGreaterThanOrEqual(required.minContextLengthTokens);
        }
      }),
      RUNS,
    );
    // Fails when the generated cases do not include both outcomes, because the property would then test nothing.
    expect(chosenCount).toBeGreaterThan(0);
    expect(unmetCount).toBeGreaterThan(0);
  });

  it('gives a load a longer context, and changes nothing else of the decision for it', () => {
    let longer = 0;
    let needed = 0;
    fc.assert(
      fc.property(
        fc.oneof(question, question.map(withMuchMemory)),
        fc.array(fc.option(print), { minLength: 18, maxLength: 18 }),
        (one, prints) => {
          const exact = selectModel(one);
          const roomy = selectModel({
            ...one,
            candidates: one.candidates.map((model, index) => ({
              ...model,
              loadOptions: model.loadOptions.map((way, place) => ({
                ...way,
                roomier: {
                  ...way,
                  footprint: prints[3 * index + place] ?? null,
                  loadConfig: { ...way.loadConfig, contextLengthTokens: 16_384 },
                },
              })),
            })),
          });
          const outline = ({
            decision,
            direction,
            chosen,
            plan,
            rejected,
            afterDrain,
          }: Selection) => ({
            decision,
            direction,
            order: plan.order,
            chosen: [chosen?.candidateIndex, chosen?.optionIndex, chosen?.instanceIdentifier],
            steps: plan.steps.map((step) =>
              step.action === 'unload' ? step : { action: step.action, modelKey: step.modelKey },
            ),
            rejected,
            afterDrain: afterDrain?.waitsFor,
          });
          expect(outline(roomy)).toEqual(outline(exact));
          const load = roomy.plan.steps.find((step) => step.action === 'load');
          if (load === undefined) return;
          if (load.loadOption.loadConfig.contextLengthTokens !== 16_384) {
            needed += 1;
            return;
          }
          longer += 1;
          for (const { pool, useAfterBytes, limitBytes } of roomy.pools) {
            const isUsed = pool === 'ram' || (load.loadOption.footprint?.gpus.length ?? 0) > 0;
            if (isUsed) expect(useAfterBytes).toBeLessThanOrEqual(limitBytes);
          }
        },
      ),
      RUNS,
    );
    // Fails when no generated case has one of the two, because the property would then test nothing.
    expect(longer).toBeGreaterThan(100);
    expect(needed).toBeGreaterThan(100);
  });

  it('chooses or rejects every candidate', () => {
    fc.assert(
      fc.property(question, (one) => {
        const { chosen, rejected } = selectModel(one);
        const named = new Set(rejected.map(({ candidateIndex }) => candidateIndex));
        if (chosen !== null) named.add(chosen.candidateIndex);
        expect(named.size).toBe(one.candidates.length);
      }),
      RUNS,
    );
  });

  it('decides to keep the model once the plan has been carried out', () => {
    fc.assert(
      fc.property(question, (one) => {
        const first = selectModel({ ...one, residents: [] });
        if (first.chosen === null) return;
        const { modelKey, loadOption } = first.chosen;
        const loaded = resident(modelKey, loadOption.footprint, {
          loadConfig: loadOption.loadConfig,
        });
        const counted =
          (loadOption.footprint?.ram.anonymousBytes ?? 0) +
          (one.resources.ram.mappedCountsAsUsed ? (loadOption.footprint?.ram.mappedBytes ?? 0) : 0);
        const gpuBytes = loadOption.footprint?.gpus[0]?.bytes ?? 0;
        const second = selectModel({
          ...one,
          residents: [loaded],
          resources: {
            ...one.resources,
            ram: {
              ...one.resources.ram,
              availableBytes: (one.resources.ram.availableBytes ?? 0) - counted,
            },
            gpus: one.resources.gpus.map((gpu) => ({
              ...gpu,
              availableBytes: (gpu.availableBytes ?? 0) - gpuBytes,
            })),
          },
        });
        expect(second.decision).toBe('keep');
      }),
      RUNS,
    );
  });
});
