import type { EngineEvent, LogEvent } from './engine-event.js';
import type { EngineBufferPart, EngineFact } from './parse-engine-line.js';

/** Memory that an engine has allocated for one part of a model, on one device. */
export interface EngineBuffer {
  readonly part: EngineBufferPart;
  /** llama.cpp's name of the memory: `CUDA0`, `CPU_Mapped`, `CUDA_Host`, ... */
  readonly device: string;
  /** As the engine printed it: exact to 0.01 MiB. */
  readonly bytes: number;
}

/** The facts that an engine has printed about one instance. */
export interface EngineReport {
  /** `null`: LM Studio did not name the instance. */
  readonly instanceIdentifier: string | null;
  /** The same value as `ResidentInstance.reference`; `null`: LM Studio did not name it. */
  readonly reference: string | null;
  readonly engine: { readonly name: string; readonly version: string };
  /** The engine's process on LM Studio's machine; `null`: LM Studio does not report it. */
  readonly pid: number | null;
  /** One entry for each part and device; empty until the engine has printed one. */
  readonly buffers: readonly EngineBuffer[];
  /** Layers on the GPU, the output layer included; `null`: not printed. */
  readonly offloadedLayers: { readonly onGpu: number; readonly total: number } | null;
}

/**
 * Number of reports that are kept. Fewer models than this are ever loaded at once. The oldest reports are dropped
 * first.
 */
const REPORTS_KEPT = 64;

interface OpenReport {
  instanceIdentifier: string | null;
  reference: string | null;
  engine: EngineReport['engine'];
  pid: number | null;
  offloadedLayers: EngineReport['offloadedLayers'];
  /** Contexts that the engine has created so far. A draft model has a context of its own. */
  contexts: number;
  readonly buffers: Map<string, EngineBuffer>;
  /** Lines about buffers count only while this is `loading`: a prompt may quote such lines later. */
  phase: 'unseen' | 'loading' | 'ended';
}

/** Collects the reports of all instances from the events of the log. */
export class EngineReports {
  readonly #reports: OpenReport[] = [];
  readonly #loaded = new Set<string>();

  add(event: LogEvent): void {
    if (event.kind === 'answer') return;
    if (event.kind === 'request') {
      for (const report of this.#reports) {
        if (report.instanceIdentifier === event.requestTo) report.phase = 'ended';
      }
      return;
    }
    const report = this.#reportOf(event);
    report.instanceIdentifier ??= event.instanceIdentifier;
    report.reference ??= event.reference;
    report.pid ??= event.pid;
    for (const fact of event.facts) addFact(report, fact);
  }

  /** Says which instances are loaded already. No later line is about their load. */
  markLoaded(references: Iterable<string>): void {
    for (const reference of references) {
      this.#loaded.add(reference);
      const known = this.#reports.find((report) => report.reference === reference);
      if (known !== undefined) known.phase = 'ended';
    }
  }

  /** The reports so far, the oldest first. */
  list(): readonly EngineReport[] {
    return this.#reports.map((report) => ({
      instanceIdentifier: report.instanceIdentifier,
      reference: report.reference,
      engine: report.engine,
      pid: report.pid,
      buffers: sumByDevice([...report.buffers.values()]),
      offloadedLayers: report.offloadedLayers,
    }));
  }

  #reportOf(event: EngineEvent): OpenReport {
    // Searches from the latest report, because a process may have had another instance before.
    const known = [...this.#reports].reverse().find((report) => isAbout(report, event));
    if (known !== undefined) return known;
    const report: OpenReport = {
      instanceIdentifier: event.instanceIdentifier,
      reference: event.reference,
      engine: event.engine,
      pid: event.pid,
      offloadedLayers: null,
      contexts: 0,
      phase: event.reference !== null && this.#loaded.has(event.reference) ? 'ended' : 'unseen',
      buffers: new Map(),
    };
    this.#reports.push(report);
    if (this.#reports.length > REPORTS_KEPT) this.#reports.shift();
    return report;
  }
}

/**
 * Whether an event is about the instance of a report. LM Studio may leave out the reference, the process or the
 * identifier. The first of the three that both have decides.
 */
function isAbout(report: OpenReport, event: EngineEvent): boolean {
  if (report.reference !== null && event.reference !== null) {
    return report.reference === event.reference;
  }
  if (report.pid !== null && event.pid !== null) return report.pid === event.pid;
  return (
    report.instanceIdentifier !== null && report.instanceIdentifier === event.instanceIdentifier
  );
}

function addFact(report: OpenReport, fact: EngineFact): void {
  if (fact.kind === 'ended') report.phase = 'ended';
  // The first lines about memory are those about the weights.
  const isStart = fact.kind === 'offloaded' || (fact.kind === 'buffer' && fact.part === 'weights');
  if (report.phase === 'unseen' && isStart) report.phase = 'loading';
  if (report.phase !== 'loading') return;
  switch (fact.kind) {
    case 'offloaded':
      // A draft model's line comes after the model's own.
      report.offloadedLayers ??= { onGpu: fact.layersOnGpu, total: fact.layers };
      return;
    case 'ended':
      return;
    case 'context':
      report.contexts += 1;
      return;
    case 'buffer': {
      const { part, device, bytes } = fact;
      // The engine prints compute buffers again when it reserves them anew, so the last line of each
      // context counts. Weights and caches are printed once for each buffer.
      const isReserved = part === 'compute' || part === 'projector-compute' || part === 'output';
      const place = isReserved ? report.contexts : report.buffers.size;
      report.buffers.set(JSON.stringify([part, device, isReserved, place]), {
        part,
        device,
        bytes,
      });
    }
  }
}

function sumByDevice(buffers: readonly EngineBuffer[]): readonly EngineBuffer[] {
  const sums = new Map<string, EngineBuffer>();
  for (const { part, device, bytes } of buffers) {
    const key = JSON.stringify([part, device]);
    sums.set(key, { part, device, bytes: (sums.get(key)?.bytes ?? 0) + bytes });
  }
  return [...sums.values()];
}
