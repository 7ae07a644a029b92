/** Over less than this the counters (10 ms steps on Linux) say little, so an older sample is kept. */
export const SHORTEST_WINDOW_MS = 200;
