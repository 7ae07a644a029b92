import { chargeResidents, isGpuShare, totalBytesOf } from '@mai/memory-ledger';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MachineEvent } from '../ports/control-facts.js';
import type { MachineWatch } from '../control/watch/machine-watch.js';
import type { BoundedLabels } from './bounded-labels.js';

/** Fills the metrics about memory, decisions and switches from what the gateway observes. Returns a function that ends this. */
export function followMachine({
  watch,
  registers,
  models,
  loadBuckets,
}: {
  readonly watch: MachineWatch;
  readonly registers: Registry[];
  readonly models: BoundedLabels;
  readonly loadBuckets: number[];
}): () => void {
  const memory = memoryGauges(registers, watch, models);
  const decisions = new Counter({
    name: 'mai_decisions_total',
    help: 'Decisions of the autopilot that differ from the one before, by decision and reason.',
    labelNames: ['decision', 'reason'],
    registers,
  });
  const switches = new Counter({
    name: 'mai_switches_total',
    help: 'Switches that have ended, by reason and outcome.',
    labelNames: ['reason', 'outcome'],
    registers,
  });
  const loads = new Histogram({
    name: 'mai_load_seconds',
    help: 'How long loads of models took.',
    labelNames: ['model'],
    buckets: loadBuckets,
    registers,
  });
  const loadFailures = new Counter({
    name: 'mai_load_failures_total',
    help: 'Loads of models that failed.',
    labelNames: ['model'],
    registers,
  });
  const running = new Gauge({
    name: 'mai_autopilot_up',
    help: '1 while the autopilot can be followed.',
    registers,
  });
  running.set(0);
  let lastDecision = '';

  const onEvent = (event: MachineEvent): void => {
    running.set(event.type === 'stopped' ? 0 : 1);
    switch (event.type) {
      case 'decided': {
        const { selection, verdict } = event;
        const decision = [selection.decision, selection.chosen?.modelKey, verdict.reason].join(
          '\n',
        );
        if (decision === lastDecision) return;
        lastDecision = decision;
        decisions.inc({ decision: selection.decision, reason: verdict.reason });
        break;
      }
      case 'switch-finished':
        switches.inc({ reason: event.reason, outcome: event.report.outcome });
        break;
      case 'switch-step':
        if (event.step.type === 'loaded') {
          const { instance, tookMs } = event.step;
          loads.observe({ model: models.of(instance.modelKey) }, tookMs / 1000);
        } else if (event.step.type === 'load-failed') {
          loadFailures.inc({ model: models.of(event.step.failure.modelKey) });
        }
        break;
      default:
        break;
    }
  };
  const unsubscribe = watch.onChange((change) => {
    if (change.type === 'event') onEvent(change.event);
    else if (change.type === 'lost') running.set(0);
  });
  return () => {
    unsubscribe();
    memory.clear();
  };
}

/** Gauges that are read from the last observation when Prometheus asks. */
function memoryGauges(
  registers: Registry[],
  watch: MachineWatch,
  models: BoundedLabels,
): { clear(): void } {
  const pools = new Gauge({
    name: 'mai_memory_bytes',
    help: 'Memory of each pool, by kind: total, others, yielded, models, free, limit and hard_limit.',
    labelNames: ['pool', 'kind'],
    registers,
    collect() {
      this.reset();
      const { last } = watch;
      const newest = watch.samples().at(-1);
      for (const { pool, totalBytes, limitBytes, hardLimitBytes } of last?.pools ?? []) {
        this.set({ pool, kind: 'total' }, totalBytes);
        this.set({ pool, kind: 'limit' }, limitBytes);
        this.set({ pool, kind: 'hard_limit' }, hardLimitBytes);
      }
      for (const { pool, othersBytes, yieldedBytes, freeBytes, residents } of newest?.pools ?? []) {
        this.set({ pool, kind: 'others' }, othersBytes - yieldedBytes);
        this.set({ pool, kind: 'yielded' }, yieldedBytes);
        this.set({ pool, kind: 'free' }, freeBytes);
        this.set(
          { pool, kind: 'models' },
          residents.reduce((sum, { bytes }) => sum + bytes, 0),
        );
      }
    },
  });
  const footprints = new Gauge({
    name: 'mai_resident_bytes',
    help: 'Memory of the residents of each model, by kind: expected by the estimate, and measured since the load.',
    labelNames: ['model', 'kind'],
    registers,
    collect() {
      this.reset();
      const { last } = watch;
      if (last === null) return;
      const charged = chargeResidents(last.residents, last.resources, 'ignore');
      for (const [index, { modelKey, footprint, observation }] of last.residents.entries()) {
        const model = models.of(modelKey);
        if (footprint !== null) this.inc({ model, kind: 'expected' }, totalBytesOf(footprint));
        const full = charged[index]?.full;
        if (observation === null || full === undefined) continue;
        // The cap of a GPU that shares RAM counts bytes of RAM a second time.
        const bytes = [...full].filter(([pool]) => !isGpuShare(pool));
        this.inc(
          { model, kind: 'measured' },
          bytes.reduce((sum, [, one]) => sum + one, 0),
        );
      }
    },
  });
  const count = new Gauge({
    name: 'mai_residents',
    help: 'Loaded copies of each model.',
    labelNames: ['model'],
    registers,
    collect() {
      this.reset();
      for (const { modelKey } of watch.last?.residents ?? [])
        this.inc({ model: models.of(modelKey) });
    },
  });
  return {
    clear: () => {
      for (const one of [pools, footprints, count]) one.reset();
    },
  };
}
