/** The results of a policy on a trace. Times are in milliseconds. */
export interface SimulationMetrics {
  readonly durationMs: number;
  /** Changes from one model or load option to another. The first load does not count. */
  readonly switches: number;
  /** Switches that began while a pool was above its hard limit. */
  readonly emergencySwitches: number;
  readonly switchesPerHour: number;
  /** Switches in opposite directions within the cool-down, without emergencies. */
  readonly flaps: number;
  /**
   * Switches to a lesser model that began while RAM was above its limit only because models had grown since
   * their loads.
   */
  readonly selfCausedSwitches: number;
  /** Time with a pool above its hard limit. */
  readonly overloadedMs: number;
  /** The part of `overloadedMs` that unloading every model at the next observation would have avoided. */
  readonly avoidableOverloadedMs: number;
  /** Number of periods in which programs and models needed more of a pool than the pool has. */
  readonly outOfMemoryEvents: number;
  /**
   * Number of `outOfMemoryEvents` that unloading every model at the next observation would have avoided.
   */
  readonly avoidableOutOfMemoryEvents: number;
  /**
   * The longest period in which a pool was out of memory although the others alone did not fill the pool. The
   * period starts when memory ran out, so it includes one observation interval that cannot be avoided.
   */
  readonly longestAvoidableOutOfMemoryMs: number;
  /** Unloads of an instance that was answering requests. */
  readonly busyEvictions: number;
  /** The part of `busyEvictions` during which no pool was out of memory. */
  readonly busyEvictionsWithMemoryLeft: number;
  /** Requests that arrived while no model was ready, or whose model was unloaded before the answer. */
  readonly droppedRequests: number;
  /** Time without a ready model. */
  readonly noModelMs: number;
  /**
   * Integral over time of the quality of the ready model. Time does not count once a pool has been above its
   * limit for longer than the dwell. For the last model of the chain, the hard limit takes the place of the
   * limit.
   */
  readonly qualityMs: number;
  readonly timeByModelMs: Readonly<Record<string, number>>;
  /**
   * How often `mai` asked LM Studio for the loaded instances. 0 for other policies, which read the simulated
   * machine directly.
   */
  readonly runtimeQueries: number;
}
