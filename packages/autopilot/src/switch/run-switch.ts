import type { PlanStep, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { AutopilotPorts } from '../ports/autopilot-ports.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { drainAndUnload } from './drain-and-unload.js';
import { drainUntilIdle } from './drain-until-idle.js';
import { loadCandidate, type LoadContext } from './load-candidate.js';
import type { LoadFailure } from './load-failure.js';
import { markRefused, notBetterThan, passedOver } from './narrow-input.js';
import { onlyAdds } from './only-adds.js';
import { fitsBack, rollBack, sortOutReturned } from './roll-back.js';
import type { RunOutcome, RunReport } from './run-report.js';
import { settleMemory } from './settle-memory.js';
import type { SwitchContext } from './switch-context.js';

type Decided = RunReport['first'];

/** Carries decisions out until one of them stands. */
export async function runSwitch(ports: AutopilotPorts, context: SwitchContext): Promise<RunReport> {
  return new SwitchRun(ports, context).toTheEnd();
}

/** One run: what it has done so far, which the next decision and the report depend on. */
class SwitchRun {
  readonly #ports: AutopilotPorts;
  readonly #context: SwitchContext;
  #first: Decided | null = null;
  #loaded: RuntimeInstance[] = [];
  #unloaded: RuntimeInstance[] = [];
  #restored: RuntimeInstance[] = [];
  readonly #forced: string[] = [];
  readonly #failures: LoadFailure[] = [];
  /** What had been unloaded when the last load failed: none of it was needed for what came after. */
  #unloadedInVain: readonly RuntimeInstance[] = [];
  #drained = false;
  /** The load that others were unloaded for: with them gone, stepping up would ask for too little. */
  #target: PlanStep | null = null;

  constructor(ports: AutopilotPorts, context: SwitchContext) {
    this.#ports = ports;
    this.#context = context;
  }

  async toTheEnd(): Promise<RunReport> {
    for (;;) {
      const decided = await this.#observeAndDecide();
      const { selection } = decided;
      if (this.#context.dryRun) {
        const steps = selection.plan.steps.length + (selection.afterDrain?.plan.steps.length ?? 0);
        const outcome = steps > 0 ? 'would-switch' : selection.chosen ? 'kept' : 'nothing-fits';
        return this.#report(outcome, decided, []);
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
    const observed = await this.#context.observe(passedOver(this.#failures));
    const narrowed = markRefused(notBetterThan(observed, this.#target), this.#failures);
    // What the last candidate is stepped down from may be gone by now.
    const input = this.#unloaded.length > 0 ? { ...narrowed, steppingDown: true } : narrowed;
    const selection = this.#context.decide(input);
    const decided = { input, selection };
    this.#first ??= decided;
    emit({ type: 'decided', ...decided });
    return decided;
  }

  /** `drained` asks for a new decision; otherwise what is still busy, mostly nothing. */
  async #waitForBusy(selection: Selection): Promise<'drained' | readonly string[]> {
    const { afterDrain } = selection;
    if (afterDrain === null) return [];
    const deadlineMs = this.#drained ? () => 0 : this.#context.drain.deadlineMs;
    const present = await drainUntilIdle(this.#ports, afterDrain.waitsFor, {
      ...this.#context,
      ...this.#context.drain,
      deadlineMs,
    });
    const busy = present.filter((one) => one.busy).map((one) => one.instance.instanceIdentifier);
    const first = !this.#drained;
    // One wait a run: what becomes busy again and again would hold it for ever.
    this.#drained = true;
    return busy.length === 0 && first ? 'drained' : busy;
  }

  /** Null asks for a new decision. */
  async #carryOut(
    decided: Decided,
    steps: readonly PlanStep[],
    waitsFor: readonly string[],
  ): Promise<RunReport | null> {
    const { chosen } = decided.selection;
    const loadAt = steps.findIndex((step) => step.action === 'load');
    for (const step of steps.slice(0, Math.max(0, loadAt))) {
      const busy = await this.#unload(step);
      if (busy !== null) return this.#putOff(decided, [busy]);
    }
    if (loadAt > 0) {
      this.#target = steps[loadAt] ?? null;
      // Memory is read again only after it has settled; then the decision has to stand once more.
      this.#context.emit({ type: 'settling' });
      await settleMemory(this.#ports, this.#context.deviceIdentifier, this.#context.signal);
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
    await this.#restoreBystanders(decided.input);
    if (this.#loaded.length === 0 && busy.length > 0) return this.#report('put-off', decided, busy);
    return this.#report(this.#outcome(), decided, busy, serving);
  }

  #outcome(): RunOutcome {
    if (this.#failures.length > 0) {
      const { back, loaded, unloaded } = sortOutReturned(this.#loaded, this.#unloaded);
      if (back.length > 0) {
        this.#restored.push(...back);
        this.#loaded = loaded;
        this.#unloaded = unloaded;
        return loaded.length > 0 ? 'switched' : 'rolled-back';
      }
    }
    return this.#loaded.length > 0 || this.#unloaded.length > 0 ? 'switched' : 'kept';
  }

  async #unload(step: PlanStep): Promise<string | null> {
    if (step.action !== 'unload') return null;
    const { instanceIdentifier, modelKey } = step;
    const outcome = await drainAndUnload(this.#ports, {
      ...this.#context,
      ...this.#context.drain,
      deadlineMs: this.#drained ? () => 0 : this.#context.drain.deadlineMs,
      instanceIdentifier,
      modelKey,
    });
    if (outcome.kind === 'busy') return instanceIdentifier;
    if (outcome.kind === 'unloaded') {
      this.#unloaded.push(outcome.instance);
      if (outcome.forced) this.#forced.push(instanceIdentifier);
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
      ttlMs: ttlMs === undefined ? (candidate?.ttlMs ?? null) : ttlMs,
      requirement: input.requirement,
      identifier: null,
    });
    if (failure === null) {
      this.#loaded.push(instance);
      return instance;
    }
    this.#failures.push(failure);
    this.#unloadedInVain = [...this.#unloaded];
    this.#context.emit({ type: 'load-failed', failure });
    return null;
  }

  /** Brings back what a candidate that failed had pushed out and its successor does not replace. */
  async #restoreBystanders(input: AssembledInput): Promise<void> {
    const chain = new Set(input.candidates.map((candidate) => candidate.modelKey));
    const bystanders = this.#unloadedInVain.filter((one) => !chain.has(one.modelKey));
    await this.#restore(input, bystanders);
  }

  async #giveUp(decided: Decided, busy: readonly string[]): Promise<RunReport> {
    if (this.#failures.length === 0) {
      const outcome = this.#unloaded.length > 0 ? 'released' : 'nothing-fits';
      return this.#report(busy.length > 0 ? 'put-off' : outcome, decided, busy);
    }
    await this.#restore(decided.input, this.#unloaded);
    const back = this.#restored.length > 0 && this.#unloaded.length === 0;
    return this.#report(back ? 'rolled-back' : 'failed', decided, busy);
  }

  async #putOff(decided: Decided, busy: readonly string[]): Promise<RunReport> {
    await this.#restore(decided.input, this.#unloaded);
    return this.#report('put-off', decided, busy);
  }

  async #restore(input: AssembledInput, instances: readonly RuntimeInstance[]): Promise<void> {
    for (const one of [...instances].reverse()) {
      const observed = await this.#context.observe({});
      const { decide, signal } = this.#context;
      if (!(await fitsBack(this.#ports, observed, decide, one, signal))) continue;
      const { instance, failure } = await rollBack(this.#ports, one, this.#loadContext(input));
      if (failure !== null) {
        this.#failures.push(failure);
        continue;
      }
      this.#restored.push(instance);
      this.#unloaded = this.#unloaded.filter((other) => other !== one);
    }
  }

  #loadContext(input: AssembledInput): LoadContext {
    return {
      deviceIdentifier: this.#context.deviceIdentifier,
      policy: input.policy,
      timeoutMs: this.#context.loadTimeoutMs,
      emit: this.#context.emit,
      signal: this.#context.signal,
    };
  }

  #report(
    outcome: RunOutcome,
    last: Decided,
    busy: readonly string[],
    serving: string | null = last.selection.chosen?.instanceIdentifier ?? null,
  ): RunReport {
    return {
      outcome,
      first: this.#first ?? last,
      last,
      instanceIdentifier: serving ?? this.#restored[0]?.instanceIdentifier ?? null,
      loaded: this.#loaded,
      unloaded: this.#unloaded,
      restored: this.#restored,
      forced: this.#forced,
      failures: this.#failures,
      busy,
    };
  }
}
