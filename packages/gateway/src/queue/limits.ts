/** Bounds of the queue. Times are in milliseconds. */
export interface SchedulerLimits {
  /** Maximum waiting requests. Default 1024. */
  readonly waitingMax: number;
  /**
   * Maximum waiting requests of one client. Default 768: what a client sends in a load of 15 seconds at 50 requests a
   * second, and room is left for others.
   */
  readonly waitingPerClientMax: number;
  /** How long a lease is kept after the last request on it. Default 250. */
  readonly lingerMs: number;
  /**
   * How long a model that is in use is kept while requests wait for a load that would unload it. Null: three times the
   * last known load time, between 2 and 30 seconds. With that, two clients that alternate cause at most a third of the
   * switches of serving in order of arrival. Default null.
   */
  readonly passOverMs: number | null;
  /** A model without a request for this time is unloaded at once where requests wait for its memory. Default 1000. */
  readonly quietMs: number;
  /** A request that has waited for this time precedes requests of a higher priority. Default 60 000. */
  readonly ageMs: number;
}

/** Defaults of the bounds. */
export const DEFAULT_SCHEDULER_LIMITS: SchedulerLimits = {
  waitingMax: 1024,
  waitingPerClientMax: 768,
  lingerMs: 250,
  passOverMs: null,
  quietMs: 1000,
  ageMs: 60_000,
};
