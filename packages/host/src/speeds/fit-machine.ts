import {
  createSpeedModel,
  isScalar,
  type SpeedObservation,
  type SpeedQuestion,
} from '@mai/performance-model';
import { BUSY_CPU_RATIO } from './others-cpu.js';

/** The bandwidth at which the physics gives the median of measured speeds; null without a measurement on the GPU. */
export function gpuBandwidthFrom(observations: readonly SpeedObservation[]): number | null {
  const decoded = observations.filter(({ test, machine }) => test === 'decode' && machine.gpu);
  const usual = decoded[0]?.machine.gpu?.memoryBandwidth;
  return usual === undefined ? null : fitted(decoded, usual, withGpuBandwidth);
}

/** The speed of this machine's cores without vector instructions, relative to the cores that the physics knows. */
export function coreSpeedFrom(observations: readonly SpeedObservation[]): number {
  return fitted(observations.filter(isScalar), 1, withCoreSpeed);
}

/** Steps of the search for a value. Each step leaves a small part of the error. */
const SEARCH_STEPS = 6;

/** The value at which the physics gives the median of measured speeds. The speeds are about in proportion to it. */
function fitted(
  observations: readonly SpeedObservation[],
  start: number,
  withValue: (observation: SpeedObservation, value: number) => SpeedObservation,
): number {
  const physics = createSpeedModel();
  const ratioAt = (one: SpeedObservation, value: number): number => {
    const question = withValue(one, value);
    const { tokensPerSecond } =
      one.test === 'decode' ? physics.decode(question) : physics.prompt(question, one.promptTokens);
    return one.tokensPerSecond / tokensPerSecond;
  };
  // A busy machine says little about its hardware.
  const idle = observations.filter((one) => (one.othersCpuRatio ?? 0) < BUSY_CPU_RATIO);
  const usable = idle.length === 0 ? observations : idle;
  let value = start;
  for (let step = 0; step < SEARCH_STEPS; step += 1) {
    const ratios = usable.map((one) => ratioAt(one, value)).sort((a, b) => a - b);
    value *= ratios[Math.floor(ratios.length / 2)] ?? 1;
  }
  return value;
}

/** The question with the bandwidth of its GPU; `null`: as it is. */
export function withGpuBandwidth<Question extends SpeedQuestion>(
  question: Question,
  memoryBandwidth: number | null,
): Question {
  const { machine } = question;
  return machine.gpu === null || memoryBandwidth === null
    ? question
    : { ...question, machine: { ...machine, gpu: { ...machine.gpu, memoryBandwidth } } };
}

/** The question with the speed of the machine's cores, where it is one of a build without vector instructions. */
export function withCoreSpeed<Question extends SpeedQuestion>(
  question: Question,
  coreSpeed: number,
): Question {
  const { machine } = question;
  return isScalar(question)
    ? {
        ...question,
        machine: { ...machine, scalarThreads: (machine.scalarThreads ?? 1) * coreSpeed },
      }
    : question;
}

/** Older measurements count with the bandwidth that is known now, so that their errors can be compared. */
export function withRam<Question extends SpeedQuestion>(
  question: Question,
  ramBandwidth: number | null,
): Question {
  const { machine } = question;
  return {
    ...question,
    machine: { ...machine, ramBandwidth: machine.ramBandwidth ?? ramBandwidth },
  };
}
