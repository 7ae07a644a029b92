import { createSimulatedHost } from '@mai/simulation';
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { DAY_MS, HOUR_MS, MODELS } from './company.mjs';
import { Engine, PARALLEL } from './engine.mjs';

const BEAT_MS = 2_000;
/** Time from a change on a host until the other machines know its new state. */
const PUBLISH_MS = 1_000;
/** Time without a heartbeat after which a host is not usable. */
const SILENT_MS = 6_000;
/** Why a lease is refused: the machine is off, or the requested resident is gone. */
const REFUSALS = ['UNREACHABLE', 'MODEL_NOT_FOUND'];
/** Pauses between the attempts to reach LM Studio while it is off. */
const FAULT = { baseMs: 1_000, maxMs: 120_000, jitterRatio: 0.2 };
/**
 * Rounds are less frequent than the autopilot's default of one second, so that a week is simulated in minutes. A request that
 * needs a load starts a round at once.
 */
const ROUNDS = {
  office: { observeIntervalMs: 30_000, fault: FAULT },
  night: { observeIntervalMs: 600_000, fault: FAULT },
};

/** A machine with a real autopilot and a simulated engine, and what the other machines know about it. */
export class Host {
  #clock;
  #machine;
  #host;
  #engine;
  #leases = new Map();
  #pending = 0;
  #beatOffsetMs;
  #beat = null;
  #lastChange = -1;
  #state = null;
  #staleSinceMs = 0;
  #row = 0;
  #downSinceMs = null;
  #revision = 0;
  loads = 0;
  unloads = 0;

  constructor(clock, machine, seed) {
    this.#clock = clock;
    this.#machine = machine;
    this.#beatOffsetMs = (seed * 397) % BEAT_MS;
    this.#engine = new Engine(clock, machine);
    this.#host = createSimulatedHost({
      clock,
      seed,
      trace: machine.trace,
      models: machine.models,
      chain: machine.chain,
      limits: DEFAULT_SELECTION_POLICY,
      get timings() {
        return isOfficeTime(clock.nowMs()) ? ROUNDS.office : ROUNDS.night;
      },
      onResidents: (change) => {
        this[change === 'loaded' ? 'loads' : 'unloads'] += 1;
        this.#changed();
      },
      onGone: (instanceIdentifier) => this.#engine.gone(instanceIdentifier),
    });
  }

  get name() {
    return this.#machine.name;
  }

  get isDown() {
    return this.#host.down;
  }

  /** Requests that run or wait here at this moment. */
  get requests() {
    return this.#running() + this.#pending;
  }

  hasLoaded(modelKey) {
    return this.#host.residents().some((one) => one.modelKey === modelKey);
  }

  start() {
    return this.#host.autopilot.start();
  }

  stop() {
    return this.#host.autopilot.stop();
  }

  /** A lease of this machine's autopilot with the engine behind it; null where it refuses. */
  async acquire(wanted, signal) {
    if (this.isDown) return null;
    this.#countBefore();
    this.#pending += 1;
    let lease = null;
    try {
      ({ lease } = await this.#host.autopilot.acquire(
        { capabilities: [], minContextLengthTokens: null, tiers: null, ...wanted },
        { signal },
      ));
    } catch (error) {
      if (error.name !== 'AbortError' && !REFUSALS.includes(error.code)) throw error;
    } finally {
      this.#countBefore();
      this.#pending -= 1;
    }
    if (lease === null) return null;
    const { instanceIdentifier, modelKey } = lease;
    this.#countBefore();
    this.#leases.set(instanceIdentifier, (this.#leases.get(instanceIdentifier) ?? 0) + 1);
    if (this.#leases.get(instanceIdentifier) === 1) this.#changed();
    let isReleased = false;
    return {
      instanceIdentifier,
      modelKey,
      submit: (request, on) => this.#engine.submit(instanceIdentifier, modelKey, request, on),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#countBefore();
        lease.release();
        const left = this.#leases.get(instanceIdentifier) - 1;
        if (left > 0) this.#leases.set(instanceIdentifier, left);
        else {
          this.#leases.delete(instanceIdentifier);
          this.#changed();
        }
      },
    };
  }

  /** What the other machines know now: the last heartbeat, and the state as of a second ago. */
  known() {
    const nowMs = this.#clock.nowMs();
    this.#noticeRow(nowMs);
    if (this.isDown) this.#downSinceMs ??= nowMs;
    else this.#downSinceMs = null;
    if (!this.isDown && this.#staleSinceMs !== null && nowMs - this.#staleSinceMs >= PUBLISH_MS) {
      this.#state = this.#describe();
      this.#staleSinceMs = null;
    }
    const state = (this.#state ??= this.#describe());
    const silentMs = this.#downSinceMs === null ? 0 : nowMs - this.#downSinceMs;
    return {
      state,
      heartbeat: this.#heartbeat(nowMs),
      silentMs,
      usable: silentMs < SILENT_MS,
      kind: 'mai',
    };
  }

  #heartbeat(nowMs) {
    const sequence = this.#beatAt(nowMs);
    const { residents, queued } = sequence > this.#lastChange ? this.#load() : this.#beat;
    return {
      host: this.name,
      epoch: 'week',
      sequence,
      revision: this.#revision,
      running: Object.values(residents).reduce((sum, one) => sum + one, 0),
      queued,
      residents,
      pressureRatio: null,
      ready: true,
    };
  }

  /** Keeps the load of the last heartbeat before the load changes. */
  #countBefore() {
    const sequence = this.#beatAt(this.#clock.nowMs());
    if (sequence <= this.#lastChange) return;
    this.#beat = this.#load();
    this.#lastChange = sequence;
  }

  #beatAt(nowMs) {
    return Math.floor((nowMs + this.#beatOffsetMs) / BEAT_MS);
  }

  #load() {
    return { residents: Object.fromEntries(this.#leases), queued: this.#pending };
  }

  #running() {
    let running = 0;
    for (const leases of this.#leases.values()) running += leases;
    return running;
  }

  #changed() {
    this.#staleSinceMs ??= this.#clock.nowMs();
  }

  /** Memory of other programs changes with the rows of the trace. */
  #noticeRow(nowMs) {
    const { trace } = this.#machine;
    while (trace[this.#row + 1] !== undefined && trace[this.#row + 1].tMs <= nowMs) {
      this.#row += 1;
      this.#changed();
    }
  }

  #describe() {
    const residents = this.#host.residents();
    const isIdle = (instanceIdentifier) => !this.#leases.has(instanceIdentifier);
    this.#revision += 1;
    return {
      host: this.name,
      epoch: 'week',
      revision: this.#revision,
      address: `https://${this.name}.example:8899`,
      versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
      labels: {},
      pools: this.#host.pools.map(({ name, totalBytes }) => ({
        pool: name,
        totalBytes,
        limitBytes: totalBytes,
      })),
      models: Object.entries(MODELS).map(([modelKey, { tier, capabilities }]) => ({
        modelKey,
        displayName: modelKey,
        kind: 'llm',
        digest: null,
        tier,
        capabilities,
        contextLengthTokens: 16_384,
        maxContextLengthTokens: 16_384,
        sizeBytes: null,
        fit: this.#host.fitOf(modelKey, isIdle),
        speed: toldSpeed(this.#machine.speeds[modelKey]),
        quality: null,
        residents: residents
          .filter((one) => one.modelKey === modelKey)
          .map(({ instanceIdentifier, footprintBytes }) => ({
            instanceIdentifier,
            footprintBytes,
            contextLengthTokens: 16_384,
            foreign: false,
            parallel: PARALLEL,
          })),
      })),
      chains: {},
      guests: { memoryRatio: 1 },
    };
  }
}

/** The speed that a host reports. It differs from the real speed by `toldRatio`. */
function toldSpeed({ decode, prompt, loadMs, toldRatio }) {
  const range = (expected) => ({ expected, low: expected * 0.7, high: expected * 1.4 });
  return {
    decodeTokensPerSecond: range(decode * toldRatio),
    promptTokensPerSecond: range(prompt * toldRatio),
    loadMs: range(loadMs / toldRatio),
    measured: true,
  };
}

function isOfficeTime(nowMs) {
  const hour = (nowMs % DAY_MS) / HOUR_MS;
  return nowMs < 5 * DAY_MS && hour >= 7.5 && hour < 19;
}
