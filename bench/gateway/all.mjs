// Runs the benchmarks of the gateway one after the other: overhead, streams, switches,
// clients that leave. Build first.
await import('./overhead.mjs');
await import('./streams.mjs');
await import('./switches.mjs');
await import('./departures.mjs');
