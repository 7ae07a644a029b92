import type { Resident, SelectionInput } from '@mai/selector';
import type { AutopilotTimings } from '../autopilot-options.js';
import { IdleWait } from './margin/idle-wait.js';
import { ANSWER_MS } from './reaction-time.js';

/**
 * Tokens of a usual answer. Source: the mean of LMSYS-Chat-1M, 214.5 tokens (Zheng et al. 2023, arXiv:2309.11998,
 * table 1).
 */
const ANSWER_TOKENS = 215;

/** Forecasts when busy residents will be idle, from how long each was busy before and from its speed. */
export class IdleForecast {
  /** By instance identifier: two copies of a model are busy at different times. */
  readonly #waits = new Map<string, IdleWait>();

  /** Call in each round. */
  observe(atMs: number, residents: readonly Resident[]): void {
    for (const { instanceIdentifier, busy } of residents) {
      const wait = this.#waits.get(instanceIdentifier) ?? new IdleWait();
      this.#waits.set(instanceIdentifier, wait);
      wait.observe(atMs, busy);
    }
  }

  /** The input of a decision, with the figures that weigh a wait of callers. A model that is loaded for them is retained, at least. */
  forCallers<Input extends Pick<SelectionInput, 'residents'>>(
    input: Input,
    { callersWaitMs, retainMs }: Pick<AutopilotTimings, 'callersWaitMs' | 'retainMs'>,
  ): Input & Pick<SelectionInput, 'residents' | 'callersWait'> {
    return {
      ...input,
      residents: input.residents.map((one) =>
        one.busy ? { ...one, idleInMs: this.#idleInMs(one) } : one,
      ),
      callersWait: { longestMs: callersWaitMs, servesMs: retainMs },
    };
  }

  #idleInMs({ instanceIdentifier, speed }: Resident): number {
    const answerMs =
      speed === null ? ANSWER_MS : (ANSWER_TOKENS / speed.decodeTokensPerSecond.expected) * 1000;
    return Math.round((this.#waits.get(instanceIdentifier) ?? new IdleWait()).whenBusyMs(answerMs));
  }
}
