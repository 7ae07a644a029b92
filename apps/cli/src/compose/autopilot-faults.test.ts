import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Autopilot, AutopilotEvent, AutopilotPorts } from '@mai/autopilot';
import { createAutopilot } from '@mai/autopilot';
import { LMStudioClient } from '@lmstudio/sdk';
import type { ActiveFault, FaultControl, FaultType, Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import { createFakeIo } from '../../test/fake-io.js';
import { createOutput } from '../terminal/output.js';
import { openAutopilotPorts } from './autopilot-session.js';

const GIB = 1024 ** 3;
const LARGE = 'test/large';
const SMALL = 'test/small';
const OURS = `mai/${LARGE}`;
const CALL_TIMEOUT_MS = 1500;

jest.setTimeout(60_000);

/** These strike only where somebody else loads too. */
type ConcurrencyFault = 'duplicate-loads' | 'abort-concurrent-loads';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

/** The autopilot with the real adapter against an LM Studio that misbehaves, on a machine at rest. */
class Rig {
  readonly events: AutopilotEvent[] = [];
  readonly #notify = new Set<() => void>();

  constructor(
    readonly simulator: Simulator,
    readonly machine: Machine,
    readonly autopilot: Autopilot,
    readonly close: () => Promise<void>,
  ) {
    void this.#read();
  }

  residents(): string[] {
    return this.simulator.residents().map((one) => one.instanceIdentifier);
  }

  /** Resolves once an event that came after the first `from` is like this. */
  async saw(isIt: (event: AutopilotEvent) => boolean, from = 0): Promise<void> {
    while (!this.events.slice(from).some(isIt)) {
      await new Promise<void>((resolve) => this.#notify.add(resolve));
    }
  }

  /** Resolves after so many more rounds of the loop. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
      await this.saw(({ type }) => type === 'decided', this.events.length);
    }
  }

  /** How often a load of a model was asked for. */
  loadsOf(modelKey: string): number {
    return this.simulator.requests.filter(
      ({ endpoint, parameter }) =>
        endpoint === 'loadModel' && JSON.stringify(parameter).includes(`"${modelKey}"`),
    ).length;
  }

  async #read(): Promise<void> {
    for await (const event of this.autopilot.events) {
      this.events.push(event);
      for (const notify of this.#notify) notify();
      this.#notify.clear();
    }
  }
}

/** What of the machine a test moves. */
interface Machine {
  othersBytes: number;
}

async function openRig(): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai faults '));
  const model = (modelKey: string, sizeBytes: number) => ({
    ...{ modelKey, sizeBytes, maxContextLength: 8192 },
  });
  const simulator = await startSimulator({
    speed: 100,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [model(LARGE, 8 * GIB), model(SMALL, 2 * GIB)],
      guardrails: { mode: 'off' },
    },
  });
  const configFile = path.join(folder, 'models.yaml');
  const configured = (key: string, category: string) => ({
    ...{ key, category, context_window: 4096, capabilities: ['chat'] },
  });
  const config = {
    version: 1,
    models: [configured(LARGE, 'large'), configured(SMALL, 'small')],
    fallback_chains: { default: [LARGE, SMALL] },
    switching: { dwell: '1s', cool_down: '1s' },
  };
  await writeFile(configFile, JSON.stringify(config));
  const io = createFakeIo({ homeFolder: folder, cwd: folder });
  const world = await openAutopilotPorts(
    {
      io,
      output: createOutput(io, { json: false, quiet: false, noColour: true }),
      globals: {
        ...{ url: simulator.httpUrl, apiTokenFile: null, configFile },
        ...{ timeoutMs: CALL_TIMEOUT_MS, json: false, quiet: false, verbose: false },
      },
      signal: io.signal,
    },
    () => undefined,
  );
  const machine: Machine = { othersBytes: 6 * GIB };
  const soon = { baseMs: 100, maxMs: 200, jitterRatio: 0 };
  const autopilot = createAutopilot({
    ...world.ports,
    monitor: monitorOf(simulator, machine),
    timings: {
      ...{ observeIntervalMs: 50, loadTimeoutMs: CALL_TIMEOUT_MS },
      ...{ fault: soon, failure: soon, putOff: soon },
      breaker: { failures: 1000, withinMs: 1000, openMs: 1000 },
    },
  });
  return new Rig(simulator, machine, autopilot, async () => {
    await world[Symbol.asyncDispose]();
    // A socket that is closed here ends there a moment later; the test's timeout ends the wait.
    while (simulator.connections() > 0) await setTimeout(10);
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

/** A machine of 32 GiB on which the simulated models take what they say. */
function monitorOf(simulator: Simulator, machine: Machine): AutopilotPorts['monitor'] {
  return {
    snapshot: async () => {
      const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
      return {
        timestampMs: Date.now(),
        observable: true,
        ram: {
          totalBytes: 32 * GIB,
          availableBytes: 32 * GIB - machine.othersBytes - mappedBytes - anonymousBytes,
          mappedCountsAsUsed: true,
        },
        unified: false,
        gpus: [],
        cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
      };
    },
    readRam: null,
    settled: null,
  };
}

interface Case {
  /** `load`: it strikes the first load; `running`: the large model is loaded when it comes. */
  readonly when: 'load' | 'running';
  readonly inject: (fault: FaultControl) => ActiveFault;
  /** What the autopilot says; null: it takes no harm. */
  readonly code: string | null;
  /** What is loaded while the fault lasts, or right after it. */
  readonly meanwhile: readonly string[];
  /** The load is tried again only once the machine has changed. */
  readonly repeatsItself?: true;
}

const modelKey = LARGE;
const instead = [`mai/${SMALL}`];
const asBefore = [OURS];

const CASES: Record<Exclude<FaultType, ConcurrencyFault>, Case> = {
  'refuse-load': {
    ...{ when: 'load', code: 'LOAD_REFUSED', meanwhile: instead, repeatsItself: true },
    inject: (fault) => fault.refuseLoad({ modelKey }),
  },
  'crash-load': {
    ...{ when: 'load', code: 'LOAD_FAILED', meanwhile: instead },
    inject: (fault) => fault.crashLoad({ modelKey }),
  },
  'out-of-memory': {
    ...{ when: 'load', code: 'OUT_OF_MEMORY', meanwhile: instead, repeatsItself: true },
    inject: (fault) => fault.outOfMemory({ modelKey, pool: 'vram' }),
  },
  'shrink-context': {
    ...{ when: 'load', code: 'CONTEXT_TOO_SMALL', meanwhile: instead, repeatsItself: true },
    inject: (fault) => fault.shrinkContext({ modelKey, toTokens: 512 }),
  },
  'stall-load': {
    ...{ when: 'load', code: 'LOAD_TIMED_OUT', meanwhile: instead },
    inject: (fault) => fault.stallLoad({ modelKey }),
  },
  'drop-connection': {
    ...{ when: 'load', code: 'UNREACHABLE', meanwhile: [] },
    inject: (fault) => fault.dropConnection({ modelKey }),
  },
  restart: {
    ...{ when: 'load', code: 'UNREACHABLE', meanwhile: [] },
    inject: (fault) => fault.restart({ modelKey, downMs: 500 }),
  },
  hang: {
    ...{ when: 'running', code: 'INCOMPATIBLE', meanwhile: asBefore },
    inject: (fault) => fault.hang(),
  },
  'invalid-result': {
    // Residents come from the HTTP interface then.
    ...{ when: 'running', code: null, meanwhile: asBefore },
    inject: (fault) => fault.invalidResult({ endpoint: 'listLoaded' }),
  },
  'protocol-warning': {
    ...{ when: 'running', code: null, meanwhile: asBefore },
    inject: (fault) => fault.protocolWarning(),
  },
  'slow-frames': {
    ...{ when: 'running', code: null, meanwhile: asBefore },
    inject: (fault) => fault.slowFrames({ delayMs: 20 }),
  },
  'reject-authentication': {
    ...{ when: 'running', code: 'UNAUTHORIZED', meanwhile: asBefore },
    inject: (fault) => fault.rejectAuthentication(),
  },
  'mute-authentication': {
    ...{ when: 'running', code: 'INCOMPATIBLE', meanwhile: asBefore },
    inject: (fault) => fault.muteAuthentication(),
  },
  'ignore-upgrade': {
    ...{ when: 'running', code: 'INCOMPATIBLE', meanwhile: asBefore },
    inject: (fault) => fault.ignoreUpgrade(),
  },
  'refuse-upgrade': {
    ...{ when: 'running', code: 'INCOMPATIBLE', meanwhile: asBefore },
    inject: (fault) => fault.refuseUpgrade(),
  },
  'not-lm-studio': {
    ...{ when: 'running', code: 'INCOMPATIBLE', meanwhile: asBefore },
    inject: (fault) => fault.notLmStudio(),
  },
};

const QUIET = { verbose: false } as const;

const codeOf = (error: unknown) => (error as { readonly code?: string }).code;

/** Codes of what went wrong, as an event tells it. */
function codesIn(event: AutopilotEvent): readonly (string | undefined)[] {
  if (event.type === 'fault') return [codeOf(event.error)];
  if (event.type === 'switch-finished') return event.report.failures.map(({ code }) => code);
  return [];
}

const keepsLarge = (event: AutopilotEvent): boolean =>
  event.type === 'decided' &&
  event.selection.decision === 'keep' &&
  event.selection.chosen?.modelKey === LARGE;

describe('with LM Studio misbehaving, the best model ends up loaded and nothing is left behind', () => {
  let rig: Rig;
  beforeEach(async () => {
    unhandled.length = 0;
    rig = await openRig();
  });
  afterEach(async () => {
    await rig.autopilot.stop();
    await rig.close();
  });

  const end = async (left: readonly string[] = []) => {
    await rig.autopilot.stop();
    expect(rig.residents()).toEqual(left);
    expect(unhandled).toEqual([]);
  };

  test.each(Object.entries(CASES))(
    '%s',
    async (_type, { when, inject, code, meanwhile, repeatsItself = false }) => {
      let fault: ActiveFault;
      if (when === 'load') {
        fault = inject(rig.simulator.fault);
        await rig.autopilot.start();
      } else {
        await rig.autopilot.start();
        await rig.saw(keepsLarge);
        fault = inject(rig.simulator.fault);
        // What strikes at the greeting strikes only whoever connects.
        rig.simulator.dropConnections();
      }
      await rig.saw((event) =>
        code === null ? keepsLarge(event) && fault.hits > 0 : codesIn(event).includes(code),
      );
      expect(rig.residents()).toEqual(meanwhile);
      if (repeatsItself) {
        const tried = rig.loadsOf(LARGE);
        await rig.rounds(20);
        expect(rig.loadsOf(LARGE)).toBe(tried);
        rig.machine.othersBytes -= 5 * GIB;
      }
      fault.clear();
      await rig.saw(keepsLarge, rig.events.length);
      expect(rig.residents()).toEqual(asBefore);
      await end();
    },
  );

  test('duplicate-loads: copies that others brought are reported and left alone', async () => {
    await rig.autopilot.start();
    await rig.saw(keepsLarge);
    rig.simulator.fault.duplicateLoads();
    const other = new LMStudioClient({ baseUrl: rig.simulator.baseUrl });
    await Promise.all([other.llm.model(SMALL, QUIET), other.llm.model(SMALL, QUIET)]);
    await rig.saw(({ type }) => type === 'duplicates');
    await rig.rounds(20);
    const theirs = [SMALL, `${SMALL}:2`];
    expect(rig.residents()).toEqual([OURS, ...theirs]);
    await other[Symbol.asyncDispose]();
    await end(theirs);
  });

  test('abort-concurrent-loads: the load that somebody else broke off is made up for', async () => {
    rig.simulator.fault.abortConcurrentLoads();
    const stalled = rig.simulator.fault.stallLoad({ modelKey, times: 1 });
    const starting = rig.autopilot.start();
    await rig.simulator.seen('loadModel');
    const other = new LMStudioClient({ baseUrl: rig.simulator.baseUrl });
    await other.llm.load(SMALL, QUIET);
    stalled.clear();
    await starting;
    await rig.saw((event) => codesIn(event).includes('LOAD_FAILED'));
    await rig.saw(keepsLarge);
    expect(rig.residents()).toEqual([SMALL, OURS]);
    await other[Symbol.asyncDispose]();
    await end([SMALL]);
  });
});
