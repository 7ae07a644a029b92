// Runs the benchmarks of the gateway one after the other: overhead, streams, switches. Build first.
await import('./overhead.mjs');
await import('./streams.mjs');
await import('./switches.mjs');
