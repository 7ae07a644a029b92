import type { Runtime } from './runtime.js';
import type { StoredResponses } from './stored-responses.js';

/** The state that all endpoints share. */
export interface Backend {
  readonly runtime: Runtime;
  /** The conversations that `previous_response_id` names. */
  readonly storedResponses: StoredResponses;
  /** The port that the simulator listens on. */
  port(): number;
}
