import type { MeasuredAnswer, ServingPort } from '../../ports/serving-port.js';
import type { AnswerSpeed } from '../../upstream/answer-speed.js';

/** Reports to the machine how fast its models answer. Only answers that ran alone are reported. */
export interface AnswerMeter {
  /** Call when a request is sent to a resident. Call the result when its answer has ended; null: it has failed. */
  begin(): (answer: EndedOnResident | null) => void;
  /** Something else than an answer, such as a load, keeps the machine busy. Answers that run now are not reported. */
  disturb(): void;
}

/** An answer and the resident that gave it. */
export interface EndedOnResident {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  readonly speed: AnswerSpeed;
}

/** Fewer tokens say little about the speed: the time of a single pause would count as much. */
const OUTPUT_TOKENS_MIN = 16;
const PROMPT_TOKENS_MIN = 64;

/**
 * Creates a meter. Requests that run at the same time share the bandwidth of the machine, also on different residents, so none
 * of them says how fast a model is.
 *
 * @param port - without `measured`, nothing is reported
 */
export function createAnswerMeter(port: Pick<ServingPort, 'measured'>): AnswerMeter {
  let running = 0;
  /** Number of requests and disturbances so far. An answer ran alone if this has not changed since its start. */
  let changes = 0;
  /** Residents that have answered: the first prompt of a resident finds an empty cache. */
  const seen = new Set<string>();
  return {
    begin: () => {
      running += 1;
      changes += 1;
      const before = changes;
      const isAlone = running === 1;
      return (answer) => {
        running -= 1;
        if (answer === null) return;
        const { modelKey, instanceIdentifier, speed } = answer;
        const isFirst = !seen.has(instanceIdentifier);
        seen.add(instanceIdentifier);
        if (!isAlone || changes !== before) return;
        const times = measuredOf(speed, isFirst);
        if (times !== null) port.measured?.({ modelKey, instanceIdentifier, ...times });
      };
    },
    disturb: () => {
      changes += 1;
      // After a load, a new resident may have the name of an earlier one.
      seen.clear();
    },
  };
}

function measuredOf(
  { prompt, output, depthTokens }: AnswerSpeed,
  isFirst: boolean,
): Omit<MeasuredAnswer, 'modelKey' | 'instanceIdentifier'> | null {
  const hasPrompt =
    prompt !== null &&
    prompt.tokens >= PROMPT_TOKENS_MIN &&
    prompt.ms > 0 &&
    (prompt.isWhole || isFirst);
  const hasOutput = output !== null && output.tokens >= OUTPUT_TOKENS_MIN;
  if (!hasPrompt && !hasOutput) return null;
  return {
    prompt: hasPrompt ? { tokens: prompt.tokens, ms: prompt.ms } : null,
    output: hasOutput ? { tokens: output.tokens, ms: output.ms } : null,
    depthTokens,
  };
}
