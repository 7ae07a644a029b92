import type { PlanStep, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { drainAndUnload, drainUntilIdle } from './drain.js';
import { loadCandidate, type LoadContext } from './load-candidate.js';
import { hasRoom, markRefused, notBetterThan, notTriedAgain } from './narrow-input.js';
import { footprintIfFits, rollBack } from './roll-back.js';
import { RunRecord } from './report/run-record.js';
import type { RunReport } from './report/run-report.js';
import { settleMemory } from './settle-memory.js';
import type { SwitchContext } from './switch-context.js';

type Decided = RunReport['first'];

/** Carries out a decision, and decides again after each change, until no step is left. */
export async function runSwitch(ports: AutopilotPorts, context: SwitchContext): Promise<RunReport> {
  return new SwitchRun(ports, context).run();
}

/** One run. Its next decision and its report depend on the steps that were carried out so far. */
class SwitchRun {
  readonly #ports: AutopilotPorts;
  readonly #context: SwitchContext;
  readonly #record = new RunRecord();
  /** The residents that had been unloaded when the last load failed. They may have to be loaded again. */
  #unloadedForFailed: readonly RuntimeInstance[] = [];
  #drained = false;
  /** The load that other models were unloaded for. Later decisions may not choose a better model. */
  #target: PlanStep | null = null;
  #decided: Decided | null = null;
  /** Ends drains and loads. */
  #signal: AbortSignal | null;

  constructor(ports: AutopilotPorts, context: SwitchContext) {
    this.#ports = ports;
    this.#context = context;
    this.#signal = eitherOf(context.signal, context.unwanted);
  }

  async run(): Promise<RunReport> {
    try {
      return await this.#run();
    } catch (error) {
      const { unwanted } = this.#context;
      if (this.#decided === null || unwanted?.aborted !== true || error !== unwanted.reason) {
        throw error;
      }
      return this.#cancel(this.#decided);
    }
  }

  async #run(): Promise<RunReport> {
    for (;;) {
      const decided = await this.#observeAndDecide();
      const { selection } = decided;
      if (this.#context.dryRun) {
        const steps = selection.plan.steps.length + (selection.afterDrain?.plan.steps.length ?? 0);
        const outcome = steps > 0 ? 'would-switch' : selection.chosen ? 'kept' : 'nothing-fits';
        return this.#record.report(outcome, decided, []);
      }
      const busy = await this.#waitForBusy(selection);
      if (busy === 'drained') continue;
      const forced = busy.length > 0 && this.#context.drain.force();
      if (busy.length > 0 && !forced && onlyAdds(selection)) return this.#putOff(decided, busy);
      const { steps } = (forced ? selection.afterDrain?.plan : null) ?? selection.plan;
      const report = await this.#carryOut(decided, steps, busy);
      if (report !== null) return report;
    }
  }

  async #observeAndDecide(): Promise<Decided> {
    const { emit } = this.#context;
    emit({ type: 'observing' });
    const observed = await this.#context.observe(notTriedAgain(this.#record.failures));
    const narrowed = markRefused(notBetterThan(observed, this.#target), this.#record.failures);
    // After an unload, the selector no longer sees which instance the step down started from.
    const input = this.#record.unloaded.length > 0 ? { ...narrowed, steppingDown: true } : narrowed;
    const selection = this.#context.decide(input);
    const decided = { input, selection };
    this.#record.first ??= decided;
    this.#decided = decided;
    emit({ type: 'decided', ...decided });
    this.#signal?.throwIfAborted();
    return decided;
  }

  /** Resolves to `drained` when a new decision is needed, otherwise to the instances that are still busy. */
  async #waitForBusy(selection: Selection): Promise<'drained' | readonly string[]> {
    const { afterDrain } = selection;
    if (afterDrain === null) return [];
    const present = await drainUntilIdle(this.#ports, afterDrain.waitsFor, this.#drainContext());
    const busy = present.filter((one) => one.busy).map((one) => one.instance.instanceIdentifier);
    const first = !this.#drained;
    // Drain only once in a run. Otherwise an instance that becomes busy again and again blocks the run for
    // ever.
    this.#drained = true;
    return busy.length === 0 && first ? 'drained' : busy;
  }

  /** Resolves to null when a new decision is needed. */
  async #carryOut(
    decided: Decided,
    steps: readonly PlanStep[],
    waitsFor: readonly string[],
  ): Promise<RunReport | null> {
    const { chosen } = decided.selection;
    const loadAt = steps.findIndex((step) => step.action === 'load');
    const unloadedBefore = this.#record.unloaded.length;
    for (const step of steps.slice(0, Math.max(0, loadAt))) {
      const busy = await this.#unload(step);
      if (busy === null) continue;
      const hasFreed = this.#record.unloaded.length > unloadedBefore;
      return (hasFreed ? await this.#endIfEnough() : null) ?? this.#putOff(decided, [busy]);
    }
    if (loadAt > 0) {
      this.#target = steps[loadAt] ?? null;
      // Decide again once memory has settled.
      await this.#settle();
      return null;
    }
    let serving = chosen?.instanceIdentifier ?? null;
    const load = steps[0];
    if (load?.action === 'load') {
      const instance = await this.#load(decided.input, load);
      if (instance === null) return null;
      serving = instance.instanceIdentifier;
    }
    const busy: string[] = [...waitsFor];
    for (const step of steps.slice(loadAt + 1)) {
      const still = await this.#unload(step);
      if (still !== null) busy.push(still);
    }
    if (chosen === null && loadAt < 0) return this.#giveUp(decided, busy);
    await this.#restoreBystanders(decided.input.candidates.map((one) => one.modelKey));
    if (this.#record.loaded.length === 0 && busy.length > 0)
      return this.#record.report('put-off', decided, busy);
    return this.#record.report(this.#record.conclude(), decided, busy, serving);
  }

  /** The report of a run whose first unloads have freed enough for the rest to stay; null where they have not. */
  async #endIfEnough(): Promise<RunReport | null> {
    await this.#settle();
    const decided = await this.#observeAndDecide();
    if (decided.selection.decision !== 'keep') return null;
    return this.#record.report(this.#record.conclude(), decided, []);
  }

  async #settle(): Promise<void> {
    this.#context.emit({ type: 'settling' });
    await settleMemory(this.#ports, this.#context.deviceIdentifier, this.#context.signal);
  }

  async #unload(step: PlanStep): Promise<string | null> {
    if (step.action !== 'unload') return null;
    const { instanceIdentifier, modelKey } = step;
    const outcome = await drainAndUnload(this.#ports, {
      ...this.#drainContext(),
      instanceIdentifier,
      modelKey,
    });
    if (outcome.kind === 'busy') return instanceIdentifier;
    if (outcome.kind === 'unloaded') {
      this.#record.unloaded = [...this.#record.unloaded, outcome.instance];
      if (outcome.forced) this.#record.forced.push(instanceIdentifier);
    }
    return null;
  }

  async #load(
    input: AssembledInput,
    step: Extract<PlanStep, { action: 'load' }>,
  ): Promise<RuntimeInstance | null> {
    const candidate = input.candidates.find((one) => one.modelKey === step.modelKey);
    const { ttlMs } = this.#context;
    const { instance, failure } = await loadCandidate(this.#ports, {
      ...this.#loadContext(input),
      modelKey: step.modelKey,
      loadConfig: step.loadOption.loadConfig,
      footprint: step.loadOption.footprint,
      ttlMs: ttlMs === undefined ? (candidate?.ttlMs ?? null) : ttlMs,
      requirement: input.requirement,
      identifier: null,
    });
    if (failure === null) {
      this.#record.loaded = [...this.#record.loaded, instance];
      // The next caller finds the model. Its load can no longer be cancelled.
      this.#signal = this.#context.signal;
      return instance;
    }
    const hadRoom = hasRoom(step, input);
    const failed = hadRoom ? { ...failure, hadRoom } : failure;
    this.#record.failures.push(failed);
    // The same model is tried again, and what was unloaded for it is not its fault.
    if (!hadRoom) this.#unloadedForFailed = this.#record.unloaded;
    this.#context.emit({ type: 'load-failed', failure: failed });
    return null;
  }

  /** Brings back models outside of the chain that were unloaded for a candidate that then failed. */
  async #restoreBystanders(chain: readonly string[]): Promise<void> {
    await this.#restore(this.#unloadedForFailed.filter((one) => !chain.includes(one.modelKey)));
  }

  async #giveUp(decided: Decided, busy: readonly string[]): Promise<RunReport> {
    if (this.#record.failures.length === 0) {
      const outcome = this.#record.unloaded.length > 0 ? 'released' : 'nothing-fits';
      return this.#record.report(busy.length > 0 ? 'put-off' : outcome, decided, busy);
    }
    await this.#restore(this.#record.unloaded);
    const back = this.#record.restored.length > 0 && this.#record.unloaded.length === 0;
    return this.#record.report(back ? 'rolled-back' : 'failed', decided, busy);
  }

  /**
   * Nobody waits for the load any more. Loads the earlier models again, because a model that nobody uses would only take memory.
   * Ends early when callers wait for another model.
   */
  async #cancel(decided: Decided): Promise<RunReport> {
    const { signal, overtaken } = this.#context;
    this.#signal = eitherOf(signal, overtaken);
    try {
      await this.#restore(this.#record.unloaded);
    } catch (error) {
      if (overtaken?.aborted !== true || error !== overtaken.reason) throw error;
    }
    return this.#record.report('cancelled', decided, []);
  }

  async #putOff(decided: Decided, busy: readonly string[]): Promise<RunReport> {
    await this.#restore(this.#record.unloaded);
    return this.#record.report('put-off', decided, busy);
  }

  async #restore(instances: readonly RuntimeInstance[]): Promise<void> {
    for (const one of instances.toReversed()) {
      const input = await this.#context.observe({});
      const footprint = await footprintIfFits(this.#ports, input, one, this.#context.signal);
      if (footprint === null) continue;
      const context = this.#loadContext(input);
      const { instance, failure } = await rollBack(this.#ports, one, footprint, context);
      if (failure !== null) {
        this.#record.failures.push(failure);
        continue;
      }
      this.#record.restored = [...this.#record.restored, instance];
      this.#record.unloaded = this.#record.unloaded.filter((other) => other !== one);
    }
  }

  /** After the one drain of a run, no unload waits for a busy instance. */
  #drainContext() {
    const { drain, isLeased, isPinned, emit } = this.#context;
    const deadline = this.#drained ? { deadlineMs: () => 0 } : {};
    const signals = { signal: this.#signal, unloadSignal: this.#context.signal };
    return { isLeased, isPinned, emit, ...signals, ...drain, ...deadline };
  }

  #loadContext(input: AssembledInput): LoadContext {
    return {
      deviceIdentifier: this.#context.deviceIdentifier,
      policy: input.policy,
      residents: input.residents,
      timeoutMs: this.#context.loadTimeoutMs,
      emit: this.#context.emit,
      signal: this.#context.signal,
      loadSignal: this.#signal,
    };
  }
}

function eitherOf(one: AbortSignal | null, other: AbortSignal | null): AbortSignal | null {
  return one === null || other === null ? (one ?? other) : AbortSignal.any([one, other]);
}

/**
 * Whether a step down would load a model and unload nothing, because every instance to unload is busy. Such a
 * step would take memory instead of freeing memory.
 */
function onlyAdds({ direction, plan }: Selection): boolean {
  return direction === 'down' && plan.steps.every((step) => step.action === 'load');
}
