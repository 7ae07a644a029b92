import type { ResolveModel } from '../../models/resolve-model.js';
import type { Clock } from '../../ports/clock.js';
import type { ServingCatalog } from '../../ports/serving-port.js';
import type { RequestFacts } from '../../protocols/protocol.js';
import type { Scheduler } from '../../queue/scheduler.js';
import type { BodyMemory } from '../request/body-memory.js';
import type { HttpClient } from '../../upstream/http-client.js';
import type { Departure } from './departure.js';
import type { AnswerMeter } from './measure-answers.js';
import type { ServedRequest } from './served-request.js';

/** The parts that serve a request. */
export interface InferenceParts {
  readonly scheduler: Scheduler;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly limits: InferenceLimits;
  /** Counts the bodies of all requests. */
  readonly bodies: BodyMemory;
  /** The requests that run or wait. */
  readonly running: Set<Departure>;
  /** The models of the machine, where they were read since the last change; otherwise null. */
  knownCatalog(): ServingCatalog | null;
  /** Reads the models of the machine. */
  catalog(signal: AbortSignal): Promise<ServingCatalog>;
  readonly resolve: ResolveModel;
  readonly meter: AnswerMeter;
  /** Estimated tokens of a request's prompt for a model; null: for an unknown one. */
  promptTokens(facts: RequestFacts, modelKey: string | null): number;
  /** Learns how many tokens the prompt of a request has for a model. */
  learnPrompt(modelKey: string, facts: RequestFacts, promptTokens: number): void;
  /** The resident that gave the response that a request continues; null where it is not known. */
  residentOfResponse(responseId: string): string | null;
  /** Called once for each request when its answer has ended. */
  served(request: ServedRequest): void;
}

/** Bounds of a request. Times are in milliseconds. */
export interface InferenceLimits {
  /** Maximum bytes of a body, after decompression. Default 64 MiB. */
  readonly maxBodyBytes: number;
  /**
   * Maximum bytes of the bodies of all requests that wait or run, after decompression; of one client, three quarters of it. Default
   * 256 MiB: four of the largest bodies, or 1,024 waiting requests of 256 KiB, which is a long conversation of an agent. A request that
   * runs takes its body twice, because its copy for the runtime has another model's name. Where it is smaller than `maxBodyBytes`,
   * `maxBodyBytes` counts.
   */
  readonly maxBufferedBytes: number;
  /** How often a request goes to another resident after a failure. Default 2. */
  readonly maxFallbacks: number;
  /** How long a request without a stream waits for a model. Default 4 minutes. */
  readonly answerDeadlineMs: number;
  /** How long a request with a stream waits for a model. Default 10 minutes. */
  readonly streamDeadlineMs: number;
  /** How long a stream waits before its client gets the position in the queue. Default 2 seconds. */
  readonly waitSignAfterMs: number;
  /** How long a client may leave its answer unread before its connection is closed. Default 2 minutes. */
  readonly stallMs: number;
}

/** Defaults of the bounds. */
export const DEFAULT_INFERENCE_LIMITS: InferenceLimits = {
  maxBodyBytes: 64 * 1_048_576,
  maxBufferedBytes: 256 * 1_048_576,
  maxFallbacks: 2,
  answerDeadlineMs: 240_000,
  streamDeadlineMs: 600_000,
  waitSignAfterMs: 2000,
  stallMs: 120_000,
};

/** Who asks. */
export interface Client {
  /** Name for the queue, in which clients take turns. */
  readonly name: string;
  /** Higher is served first; 0 is usual. */
  readonly priority: number;
  /** The instance identifier of the only resident that serves the client. Default: all may. */
  readonly onlyResident?: string | undefined;
}
