import { GB, QUESTION } from '../../test/eight-billion.js';
import { decodeParts } from '../physics/decode-parts.js';
import type { DecodeParameters, PromptParameters } from '../physics/parameters.js';
import { promptParts } from '../physics/prompt-parts.js';
import { createSpeedModel, type SpeedObservation } from './create-speed-model.js';
import type { SpeedQuestion } from './traits-of.js';

const seen = (tokensPerSecond: number, changes: Partial<SpeedQuestion> = {}): SpeedObservation => ({
  ...QUESTION,
  ...changes,
  test: 'decode',
  generatedTokens: 128,
  tokensPerSecond,
  othersCpuRatio: null,
});

const GPU = {
  efficiency: 0.5,
  kvEfficiency: 0.25,
  layerMicroseconds: 10,
  surchargeBits: 0,
  expertPenalty: 2,
};

/** Constants that make the figures easy to work out by hand. */
const PLAIN: DecodeParameters = {
  backends: { cuda: GPU, vulkan: GPU, rocm: GPU, metal: GPU, mlx: GPU },
  generations: { pascal: 0.5, datacenter: 1, m1: 1, ultra: 1, arc: 1, polaris: 1, rdna4: 1 },
  bandwidthExponent: 0,
  ramEfficiency: 0.5,
  ramKvEfficiency: 0.25,
  ramLayerMicroseconds: 20,
  crossingMicroseconds: 100,
  splitMicroseconds: 300,
  fixedMicroseconds: 200,
  mixture: 1,
  unquantizedVulkanExperts: 4,
  ramSurchargeBits: 0,
};

describe('the time of a token', () => {
  test('on the GPU: 5 GB at half of 400 GB/s, 131 MB of cache at a quarter, 32 layers', () => {
    const parts = decodeParts(QUESTION, 1000, PLAIN);
    expect(parts.gpuWeights).toBeCloseTo(0.025, 9);
    expect(parts.kvCache).toBeCloseTo(0.001_310_72, 9);
    expect(parts.layers).toBeCloseTo(0.000_32, 9);
    expect(parts.fixed).toBeCloseTo(0.0002, 9);
    expect([parts.ramWeights, parts.crossings]).toEqual([0, 0]);
  });

  test('with half of the layers in RAM: half of the weights at half of 80 GB/s, one crossing, one split', () => {
    const placement = { ...QUESTION.placement, offloadRatio: 0.5 };
    const parts = decodeParts({ ...QUESTION, placement }, 0, PLAIN);
    expect(parts.gpuWeights).toBeCloseTo(0.0125, 9);
    expect(parts.ramWeights).toBeCloseTo(0.0625, 9);
    expect(parts.crossings).toBeCloseTo(0.0005, 9);
  });

  test.each([
    // 131 MB of cache at a quarter of 80 GB/s; 32 layers cross to it.
    ['all layers on the GPU', 1, 0.006_553_6, 32 * 2e-4 + 3e-4],
    // The layers in RAM read their cache there in any case; one crossing to them, and 16 to caches.
    ['half of the layers on the GPU', 0.5, 0.006_553_6, 17 * 2e-4 + 3e-4],
    ['no layers on the GPU', 0, 0.006_553_6, 2e-4 + 3e-4],
  ])(
    'with the KV cache in RAM and %s, the processor reads all of it',
    (_, ratio, kvCache, crossings) => {
      const placement = { ...QUESTION.placement, offloadRatio: ratio, kvCacheInRam: true };
      const parts = decodeParts({ ...QUESTION, placement }, 1000, PLAIN);
      expect(parts.kvCache).toBeCloseTo(kvCache, 9);
      expect(parts.crossings).toBeCloseTo(crossings, 9);
    },
  );

  test('on Vulkan, experts of 16 bits on the GPU take four times as long; all other weights do not', () => {
    const shape = {
      ...QUESTION.shape,
      activeParameters: 2 * GB,
      weightBytes: 16 * GB,
      activeWeightBytes: 4 * GB,
      expertBytes: 12 * GB,
      activeExpertBytes: 2 * GB,
    };
    const { gpu } = QUESTION.machine;
    const machine = { ...QUESTION.machine, gpu: gpu && { ...gpu, backend: 'vulkan' as const } };
    const vulkan = { ...QUESTION, shape, machine };
    const seconds = (question: SpeedQuestion): number => decodeParts(question, 0, PLAIN).gpuWeights;
    expect(seconds(vulkan)).toBeCloseTo((2 + 4 * 2) / 200, 9);
    expect(seconds({ ...QUESTION, shape })).toBeCloseTo(4 / 200, 9);
    const half = { ...QUESTION.placement, cpuExpertRatio: 0.5 };
    expect(seconds({ ...vulkan, placement: half })).toBeCloseTo((2 + 4 * 1) / 200, 9);
    const quantized = { ...shape, weightBytes: 8 * GB };
    expect(seconds({ ...vulkan, shape: quantized })).toBeCloseTo(4 / 200, 9);
  });

  test('without a GPU everything is read from RAM', () => {
    const machine = { gpu: null, ramBandwidth: 80 * GB, scalarThreads: null };
    const parts = decodeParts({ ...QUESTION, machine }, 0, PLAIN);
    expect(parts.ramWeights).toBeCloseTo(0.125, 9);
    expect(parts.layers).toBeCloseTo(0.000_64, 9);
    expect([parts.gpuWeights, parts.fixed]).toEqual([0, 0]);
  });

  test('without vector instructions, 8e9 weights take two cores at 5.7e9 a second each', () => {
    const machine = { gpu: null, ramBandwidth: 80 * GB, scalarThreads: 2 };
    expect(decodeParts({ ...QUESTION, machine }, 0, PLAIN).ramWeights).toBeCloseTo(0.70175, 4);
    const many = { ...machine, scalarThreads: 64 };
    expect(decodeParts({ ...QUESTION, machine: many }, 0, PLAIN).ramWeights).toBeCloseTo(0.125, 9);
    const half = { ...QUESTION.placement, offloadRatio: 0.5 };
    const split = {
      ...QUESTION,
      placement: half,
      machine: { ...QUESTION.machine, scalarThreads: 2 },
    };
    expect(decodeParts(split, 0, PLAIN).ramWeights).toBeCloseTo(0.35088, 4);
    expect(decodeParts(split, 0, PLAIN).gpuWeights).toBeCloseTo(0.0125, 9);
  });
});

const PLAIN_PROMPT_GPU = {
  efficiency: 0.5,
  unquantized: 2,
  attention: 1,
  expertPenalty: 0.5,
  expertTile: 20,
  linkEfficiency: 0.5,
};

const PLAIN_PROMPT: PromptParameters = {
  backends: {
    cuda: PLAIN_PROMPT_GPU,
    vulkan: PLAIN_PROMPT_GPU,
    rocm: PLAIN_PROMPT_GPU,
    metal: PLAIN_PROMPT_GPU,
    mlx: PLAIN_PROMPT_GPU,
  },
  generations: { pascal: 0.5, datacenter: 1, m1: 1, ultra: 1, arc: 1, polaris: 1, rdna4: 1 },
  operationsExponent: 0,
  cpuOperationsPerByte: 10,
  attention: 1,
  unquantizedExperts: 3,
  weightEfficiency: 0.5,
  layerMicroseconds: 100,
  evenness: 0.1,
};

describe('the time of a token of a prompt', () => {
  test('on the GPU: 16 billion operations at half of 40 x 10^12 a second, weights once for 512 tokens', () => {
    const parts = promptParts(QUESTION, 1024, 0, PLAIN_PROMPT);
    expect(parts.compute).toBeCloseTo(0.0008, 9);
    // 5 GB at half of 400 GB/s and 32 layers x 100 us are 28.2 ms, for 512 tokens.
    expect(parts.batches).toBeCloseTo(0.0282 / 512, 9);
    expect(parts.transfers).toBe(0);
    // 4 operations x 512 pairs x 131,072 query values at 20 x 10^12 a second.
    expect(parts.attention).toBeCloseTo((4 * 512 * 131_072) / 20e12, 9);
  });

  test('query values that are not known are estimated from the width of a layer and the KV cache', () => {
    const shape = { ...QUESTION.shape, queryValuesPerToken: null };
    // The root of 8e9 / 32 / 12 is 4,564, the KV cache of a layer has 4,096 bytes: their mean is 4,324.
    const { attention } = promptParts({ ...QUESTION, shape }, 1024, 0, PLAIN_PROMPT);
    expect(attention).toBeCloseTo((4 * 512 * 4324 * 32) / 20e12, 8);
  });

  test('weights that are not quantized have a speed of their own', () => {
    const shape = { ...QUESTION.shape, weightBytes: 16 * GB, activeWeightBytes: 16 * GB };
    expect(promptParts({ ...QUESTION, shape }, 1024, 0, PLAIN_PROMPT).compute).toBeCloseTo(
      0.0004,
      9,
    );
  });

  test('an expert multiplies few tokens: a fifth of the operations takes 1 + .5 + 20 / 51.2 of the time', () => {
    const shape = { ...QUESTION.shape, expertBytes: 10 * GB, activeExpertBytes: GB };
    const { compute } = promptParts({ ...QUESTION, shape }, 512, 0, PLAIN_PROMPT);
    expect(compute).toBeCloseTo(0.0008 * (1 + 0.2 * (0.5 + 20 / 51.2)), 9);
  });

  test('experts of 16 bits are multiplied one after the other: they take 3 more for each operation of an expert', () => {
    const sixteen = { weightBytes: 16 * GB, activeWeightBytes: 16 * GB };
    const experts = { expertBytes: 32 * GB, activeExpertBytes: 3.2 * GB };
    const shape = { ...QUESTION.shape, ...sixteen, ...experts };
    const { compute } = promptParts({ ...QUESTION, shape }, 512, 0, PLAIN_PROMPT);
    expect(compute).toBeCloseTo(0.0004 * (1 + 0.2 * (0.5 + 20 / 51.2 + 3)), 9);
  });

  test('experts in RAM: only those that the micro-batch uses are copied', () => {
    const shape = { ...QUESTION.shape, expertBytes: 4 * GB, activeExpertBytes: 0.4 * GB };
    const placement = { ...QUESTION.placement, cpuExpertRatio: 1, microBatchTokens: 10 };
    const { transfers } = promptParts({ ...QUESTION, shape, placement }, 100, 0, PLAIN_PROMPT);
    // 10 tokens x .1 even x .1 of the experts: 1 - e^-.1 = 9.516 % of 4 GB at half of 20 GB/s, for 10 tokens.
    expect(transfers).toBeCloseTo(0.038_065 / 10, 6);
  });

  test('without a GPU: operations at 10 for each byte of 80 GB/s', () => {
    const machine = { gpu: null, ramBandwidth: 80 * GB, scalarThreads: null };
    const parts = promptParts({ ...QUESTION, machine }, 1024, 0, PLAIN_PROMPT);
    expect(parts.compute).toBeCloseTo(0.02, 9);
    expect([parts.batches, parts.transfers]).toEqual([0, 0]);
  });

  test('without vector instructions, 8e9 weights of a token take two cores at 8.7e9 a second each', () => {
    const machine = { gpu: null, ramBandwidth: 80 * GB, scalarThreads: 2 };
    const { compute } = promptParts({ ...QUESTION, machine }, 1024, 0, PLAIN_PROMPT);
    expect(compute).toBeCloseTo(0.45977, 4);
    // The GPU computes prompts whose weights are in RAM.
    const onGpu = { ...QUESTION, machine: { ...QUESTION.machine, scalarThreads: 2 } };
    expect(promptParts(onGpu, 1024, 0, PLAIN_PROMPT)).toEqual(
      promptParts(QUESTION, 1024, 0, PLAIN_PROMPT),
    );
  });
});

describe('a prediction', () => {
  const model = createSpeedModel();

  test('slows down with depth, with bytes, and with layers in RAM', () => {
    const speeds = [0, 4096, 32_768].map(
      (depthTokens) => model.decode({ ...QUESTION, depthTokens }).tokensPerSecond,
    );
    expect(speeds).toEqual([...speeds].sort((a, b) => b - a));
    const larger = { ...QUESTION.shape, weightBytes: 8 * GB, activeWeightBytes: 8 * GB };
    expect(model.decode({ ...QUESTION, shape: larger }).tokensPerSecond).toBeLessThan(
      model.decode(QUESTION).tokensPerSecond,
    );
    const split = { ...QUESTION.placement, offloadRatio: 0.5 };
    expect(model.decode({ ...QUESTION, placement: split }).tokensPerSecond).toBeLessThan(
      model.decode(QUESTION).tokensPerSecond / 2,
    );
  });

  test('of a prompt is faster than decode, and its parts are not negative', () => {
    expect(model.prompt(QUESTION, 2000).tokensPerSecond).toBeGreaterThan(
      5 * model.decode(QUESTION).tokensPerSecond,
    );
    for (const seconds of Object.values<number>({ ...promptParts(QUESTION, 2000, 0) })) {
      expect(seconds).toBeGreaterThanOrEqual(0);
    }
  });

  test('lies inside its interval, and is the same for the same question', () => {
    const { tokensPerSecond, low, high, correction } = model.decode(QUESTION);
    expect(low).toBeLessThan(tokensPerSecond);
    expect(high).toBeGreaterThan(tokensPerSecond);
    expect(correction).toBe(1);
    expect(createSpeedModel().decode(QUESTION)).toEqual(model.decode(QUESTION));
  });
});

describe('after a measurement', () => {
  const cold = createSpeedModel().decode(QUESTION);

  test('the same question is predicted closer to it, with a narrower interval', () => {
    const measured = cold.tokensPerSecond * 0.6;
    const learned = createSpeedModel([seen(measured)]).decode(QUESTION);
    expect(learned.tokensPerSecond).toBeLessThan(cold.tokensPerSecond * 0.85);
    expect(learned.tokensPerSecond).toBeGreaterThan(measured * 0.95);
    expect(learned.high / learned.low).toBeLessThan(cold.high / cold.low);
  });

  test('the prediction of another model moves by less than that of the same model', () => {
    const other = { ...QUESTION, identity: { ...QUESTION.identity, model: 'other' } };
    const model = createSpeedModel([seen(cold.tokensPerSecond * 0.6)]);
    const ratio = model.decode(other).tokensPerSecond / cold.tokensPerSecond;
    expect(ratio).toBeLessThan(1);
    expect(ratio).toBeGreaterThan(model.decode(QUESTION).tokensPerSecond / cold.tokensPerSecond);
  });

  test('measurements that vary by a third make the interval wide enough for them', () => {
    const measured = [1, 0.7, 1.1, 0.75, 0.95, 0.68, 1.05].map((factor) => factor * 50);
    const { low, high } = createSpeedModel(measured.map((speed) => seen(speed))).decode(QUESTION);
    expect(measured.filter((speed) => speed < low || speed > high)).toEqual([]);
    const steady = createSpeedModel(measured.map(() => seen(40))).decode(QUESTION);
    expect(high / low).toBeGreaterThan(1.4 * (steady.high / steady.low));
  });

  test('a machine that has two speeds in turn, four times apart, gets an interval that holds both and is less than forty times wide', () => {
    const measured = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 20 : 80));
    const { low, high } = createSpeedModel(measured.map((speed) => seen(speed))).decode(QUESTION);
    expect(low).toBeLessThan(20);
    expect(high).toBeGreaterThan(80);
    expect(high / low).toBeLessThan(40);
  });

  test('one outlier among many measurements hardly counts', () => {
    const usual = Array.from({ length: 8 }, () => seen(cold.tokensPerSecond));
    const model = createSpeedModel([...usual, seen(cold.tokensPerSecond / 10)]);
    expect(model.decode(QUESTION).tokensPerSecond / cold.tokensPerSecond).toBeGreaterThan(0.9);
  });

  test('a measured speed of 0 or infinity, or one that no machine has, is ignored', () => {
    const faults = [0, -1, Infinity, NaN, 1e300, 1e-9];
    const model = createSpeedModel(faults.map((speed) => seen(speed)));
    expect(model.decode(QUESTION)).toEqual(cold);
    expect(model.hasMeasured(QUESTION)).toBe(false);
  });

  test('nearly the whole error is taken over for another quantization of the model', () => {
    const q8 = { ...QUESTION.identity, quantization: 'Q8_0' };
    const shape = { ...QUESTION.shape, weightBytes: 8.5 * GB, activeWeightBytes: 8.5 * GB };
    const other = { ...QUESTION, identity: q8, shape };
    const model = createSpeedModel([seen(cold.tokensPerSecond * 0.7)]);
    const ratio =
      model.decode(other).tokensPerSecond / createSpeedModel().decode(other).tokensPerSecond;
    expect(ratio).toBeGreaterThan(0.69);
    expect(ratio).toBeLessThan(0.77);
  });

  test('a measured micro-batch corrects one with eight times as many tokens less than itself', () => {
    const experts = { expertBytes: 4 * GB, activeExpertBytes: 0.4 * GB, activeWeightBytes: GB };
    const batch = (microBatchTokens: number): SpeedQuestion => ({
      ...QUESTION,
      shape: { ...QUESTION.shape, ...experts },
      placement: { ...QUESTION.placement, cpuExpertRatio: 1, microBatchTokens },
    });
    const before = createSpeedModel().prompt(batch(512), 4096).tokensPerSecond;
    const tokensPerSecond = before / 2;
    const model = createSpeedModel([
      { ...batch(512), test: 'prompt', promptTokens: 4096, tokensPerSecond, othersCpuRatio: null },
    ]);
    const own = Math.log(model.prompt(batch(512), 4096).correction);
    const other = Math.log(model.prompt(batch(4096), 4096).correction);
    expect(other).toBeGreaterThan(0.2 * own);
    expect(other).toBeLessThan(0.8 * own);
  });

  test('a measurement of 16-bit weights far from the physics hardly corrects predictions for quantized ones', () => {
    const half = { ...QUESTION.shape, weightBytes: 16 * GB, activeWeightBytes: 16 * GB };
    const expected = createSpeedModel().decode({ ...QUESTION, shape: half }).tokensPerSecond;
    const shareAfter = (factor: number): number => {
      const model = createSpeedModel([seen(expected / factor, { shape: half })]);
      return Math.log(model.decode(QUESTION).correction) / Math.log(factor);
    };
    expect(shareAfter(4)).toBeLessThan(0.1);
  });

  test('a measurement of 16-bit weights corrects predictions for quantized ones little', () => {
    const sixteen = { ...QUESTION.shape, weightBytes: 16 * GB, activeWeightBytes: 16 * GB };
    const f16 = { ...QUESTION, shape: sixteen };
    const speed = 0.5 * createSpeedModel().decode(f16).tokensPerSecond;
    const model = createSpeedModel([seen(speed, { shape: sixteen })]);
    const f16Correction = model.decode(f16).correction;
    expect(Math.log(model.decode(QUESTION).correction)).toBeLessThan(0.6 * Math.log(f16Correction));
  });

  test('a split between two measured splits of a file is predicted between their errors', () => {
    const split = (offloadRatio: number): SpeedQuestion => ({
      ...QUESTION,
      placement: { ...QUESTION.placement, offloadRatio },
    });
    const before = createSpeedModel();
    const measured = (offloadRatio: number, factor: number): SpeedObservation => ({
      ...split(offloadRatio),
      test: 'decode',
      generatedTokens: 0,
      othersCpuRatio: null,
      tokensPerSecond: factor * before.decode(split(offloadRatio)).tokensPerSecond,
    });
    const model = createSpeedModel([measured(0.8, 0.8), measured(0.4, 0.8)]);
    const ratio =
      model.decode(split(0.6)).tokensPerSecond / before.decode(split(0.6)).tokensPerSecond;
    expect(ratio).toBeCloseTo(0.8, 1);
    expect(Math.abs(ratio - 0.8)).toBeLessThan(0.02);
  });

  test('measurements of a model with a newer engine replace those with an older engine', () => {
    const newer = { ...QUESTION.identity, engine: 'llama.cpp@2' };
    const model = createSpeedModel([
      seen(cold.tokensPerSecond * 0.5),
      seen(cold.tokensPerSecond, { identity: newer }),
    ]);
    const { tokensPerSecond } = model.decode({ ...QUESTION, identity: newer });
    expect(tokensPerSecond / cold.tokensPerSecond).toBeCloseTo(1, 1);
  });

  test('a measurement on one back end says nothing of another model on another one, and a little of the same model', () => {
    const { gpu } = QUESTION.machine;
    const vulkan: SpeedQuestion = {
      ...QUESTION,
      machine: { ...QUESTION.machine, gpu: gpu && { ...gpu, backend: 'vulkan' } },
    };
    const model = createSpeedModel([seen(cold.tokensPerSecond / 4)]);
    const other = { ...vulkan, identity: { ...QUESTION.identity, model: 'other' } };
    expect(model.decode(other).correction).toBe(1);
    expect(model.decode(vulkan).correction).toBeGreaterThan(1.05);
    expect(model.decode(vulkan).correction).toBeLessThan(1.6);
  });

  test('of two engines that measure a model in turn, each keeps its own figure', () => {
    const other = { ...QUESTION.identity, engine: 'LM Studio@7' };
    const model = createSpeedModel(
      [0, 1, 2].flatMap(() => [seen(40), seen(60, { identity: other })]),
    );
    expect(model.decode(QUESTION).tokensPerSecond / 40).toBeCloseTo(1, 1);
    expect(model.decode({ ...QUESTION, identity: other }).tokensPerSecond / 60).toBeCloseTo(1, 1);
  });
});

describe('two engines on a CPU, one of them without vector instructions', () => {
  const vector: SpeedQuestion = {
    ...QUESTION,
    machine: { gpu: null, ramBandwidth: 80 * GB, scalarThreads: null },
    placement: { ...QUESTION.placement, offloadRatio: 0 },
    identity: { ...QUESTION.identity, engine: 'LM Studio@7' },
  };
  const scalar: SpeedQuestion = {
    ...vector,
    machine: { ...vector.machine, scalarThreads: 2 },
    identity: { ...QUESTION.identity, engine: 'embedded@1' },
  };
  const otherModel = { ...vector.identity, model: 'other' };
  const cold = createSpeedModel();
  const measurementsOf = (question: SpeedQuestion, factor: number): SpeedObservation[] => [
    seen(factor * cold.decode(question).tokensPerSecond, question),
    {
      ...question,
      test: 'prompt',
      promptTokens: 512,
      tokensPerSecond: cold.prompt(question, 512).tokensPerSecond / factor,
      othersCpuRatio: null,
    },
  ];

  test.each([0.1, 0.25, 1, 4])(
    'a measurement of one that is %d times the physics says nothing of the other one',
    (factor) => {
      for (const [measured, asked] of [
        [scalar, vector],
        [vector, scalar],
      ] as const) {
        const model = createSpeedModel(measurementsOf(measured, factor));
        expect(model.decode(asked)).toEqual(cold.decode(asked));
        expect(model.prompt(asked, 512)).toEqual(cold.prompt(asked, 512));
        const other = { ...asked, identity: otherModel };
        expect(model.decode(other)).toEqual(cold.decode(other));
        expect(model.hasMeasured(asked)).toBe(false);
        expect(model.hasMeasured(measured)).toBe(true);
      }
    },
  );

  test('seventy measurements of one do not displace the measurement of the other one', () => {
    const many = Array.from({ length: 70 }, () => measurementsOf(scalar, 1)).flat();
    const own = measurementsOf(vector, 0.5);
    expect(createSpeedModel([...own, ...many]).decode(vector)).toEqual(
      createSpeedModel(own).decode(vector),
    );
  });

  test('a measurement with all weights on the GPU says as much of both', () => {
    const onGpu = (scalarThreads: number | null): SpeedQuestion => ({
      ...QUESTION,
      machine: { ...QUESTION.machine, scalarThreads },
    });
    const model = createSpeedModel(measurementsOf(onGpu(2), 0.5));
    expect(model.decode(onGpu(null))).toEqual(model.decode(onGpu(2)));
    expect(model.decode(onGpu(null)).correction).toBeGreaterThan(1.5);
    expect(model.hasMeasured(onGpu(null))).toBe(true);
  });

  test('a model that was measured on the GPU only was not measured in RAM', () => {
    const model = createSpeedModel(measurementsOf(QUESTION, 1));
    expect(model.hasMeasured(QUESTION)).toBe(true);
    expect(model.hasMeasured(vector)).toBe(false);
  });
});
