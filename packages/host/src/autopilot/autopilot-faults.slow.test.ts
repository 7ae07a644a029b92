import type { Autopilot, AutopilotEvent } from '@mai/autopilot';
import { createAutopilot } from '@mai/autopilot';
import { LMStudioClient } from '@lmstudio/sdk';
import type { ActiveFault, FaultControl, FaultType, Simulator } from '@mai/lmstudio-simulator';
import { GIB, LARGE, openAutopilotWorld, SMALL } from '../../test/autopilot-world.js';
import { errorCodeOf } from '../guards.js';
import { joinAutopilotPorts } from './join-ports.js';

const OURS = `mai/${LARGE}`;
const CALL_TIMEOUT_MS = 1500;

jest.setTimeout(60_000);

/** Faults that occur only while a second client also loads. */
type ConcurrencyFault = 'duplicate-loads' | 'abort-concurrent-loads';

/** Faults of requests that generate text. The autopilot sends no such requests. */
type PredictionFault =
  | 'slow-first-token'
  | 'crash-prediction'
  | 'unload-during-prediction'
  | 'cut-stream'
  | 'stream-error'
  | 'http-error';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));

/** An autopilot with the real adapter and a simulated LM Studio that has faults. Other programs use constant memory. */
class FaultTest {
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

  /** Resolves once `isIt` is true for an event. Ignores the first `from` events. */
  async saw(isIt: (event: AutopilotEvent) => boolean, from = 0): Promise<void> {
    while (!this.events.slice(from).some(isIt)) {
      await new Promise<void>((resolve) => this.#notify.add(resolve));
    }
  }

  /** Resolves after `count` more rounds of the loop. */
  async rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round += 1) {
      await this.saw(({ type }) => type === 'decided', this.events.length);
    }
  }

  /** The number of load requests that LM Studio has received. */
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

/** The part of the machine that a test changes. */
interface Machine {
  othersBytes: number;
}

async function openFaultTest(): Promise<FaultTest> {
  const world = await openAutopilotWorld();
  const parts = world.parts({ timeoutMs: CALL_TIMEOUT_MS });
  const { ports } = await joinAutopilotPorts(parts, () => undefined);
  const soon = { baseMs: 100, maxMs: 200, jitterRatio: 0 };
  const autopilot = createAutopilot({
    ...ports,
    timings: {
      observeIntervalMs: 50,
      loadTimeoutMs: CALL_TIMEOUT_MS,
      fault: soon,
      failure: soon,
      putOff: soon,
      breaker: { failures: 1000, withinMs: 1000, openMs: 1000 },
    },
  });
  return new FaultTest(world.simulator, world.machine, autopilot, async () => {
    await world[Symbol.asyncDispose]();
  });
}

interface Case {
  /**
   * `load`: the fault affects the first load. `running`: the fault begins when the large model is
   * loaded.
   */
  readonly when: 'load' | 'running';
  readonly inject: (fault: FaultControl) => ActiveFault;
  /**
   * The error code that the autopilot reports; null where the fault does not disturb the
   * autopilot.
   */
  readonly code: string | null;
  /** The instances that are loaded while the fault lasts, or right after it. */
  readonly meanwhile: readonly string[];
  /** The same load fails each time. So the autopilot does not repeat it until the machine has changed. */
  readonly repeatsItself?: true;
  /** The fault concerns a call that a running autopilot does not make. */
  readonly isQuiet?: true;
}

const modelKey = LARGE;
const instead = [`mai/${SMALL}`];
const asBefore = [OURS];

const CASES: Record<Exclude<FaultType, ConcurrencyFault | PredictionFault>, Case> = {
  'refuse-load': {
    when: 'load',
    code: 'LOAD_REFUSED',
    meanwhile: instead,
    repeatsItself: true,
    inject: (fault) => fault.refuseLoad({ modelKey }),
  },
  'crash-load': {
    when: 'load',
    code: 'LOAD_FAILED',
    meanwhile: instead,
    inject: (fault) => fault.crashLoad({ modelKey }),
  },
  'out-of-memory': {
    when: 'load',
    code: 'OUT_OF_MEMORY',
    meanwhile: instead,
    repeatsItself: true,
    inject: (fault) => fault.outOfMemory({ modelKey, pool: 'vram' }),
  },
  'shrink-context': {
    when: 'load',
    code: 'CONTEXT_TOO_SMALL',
    meanwhile: instead,
    repeatsItself: true,
    inject: (fault) => fault.shrinkContext({ modelKey, toTokens: 512 }),
  },
  'enlarge-context': {
    when: 'load',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.enlargeContext({ modelKey, toTokens: 8192 }),
  },
  'survey-error': {
    when: 'running',
    code: null,
    meanwhile: asBefore,
    isQuiet: true,
    inject: (fault) => fault.surveyError(),
  },
  'no-compatible-backends': {
    when: 'running',
    code: null,
    meanwhile: asBefore,
    isQuiet: true,
    inject: (fault) => fault.noCompatibleBackends(),
  },
  'stall-load': {
    when: 'load',
    code: 'LOAD_TIMED_OUT',
    meanwhile: instead,
    inject: (fault) => fault.stallLoad({ modelKey }),
  },
  'drop-connection': {
    when: 'load',
    code: 'UNREACHABLE',
    meanwhile: [],
    inject: (fault) => fault.dropConnection({ modelKey }),
  },
  restart: {
    when: 'load',
    code: 'UNREACHABLE',
    meanwhile: [],
    inject: (fault) => fault.restart({ modelKey, downMs: 500 }),
  },
  hang: {
    // WebSocket calls get no answer, so the adapter lists models and residents over HTTP instead.
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.hang(),
  },
  'invalid-result': {
    // The adapter then lists the residents over HTTP instead.
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.invalidResult({ endpoint: 'listLoaded' }),
  },
  'answer-error': {
    // The adapter then takes the facts that the list of residents has.
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.answerError({ endpoint: 'getModelInfo' }),
  },
  'protocol-warning': {
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.protocolWarning(),
  },
  'slow-frames': {
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.slowFrames({ delayMs: 20 }),
  },
  'reject-authentication': {
    when: 'running',
    code: 'UNAUTHORIZED',
    meanwhile: asBefore,
    inject: (fault) => fault.rejectAuthentication(),
  },
  'mute-authentication': {
    // WebSocket calls get no answer, so the adapter lists models and residents over HTTP instead.
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.muteAuthentication(),
  },
  'ignore-upgrade': {
    // WebSocket calls get no answer, so the adapter lists models and residents over HTTP instead.
    when: 'running',
    code: null,
    meanwhile: asBefore,
    inject: (fault) => fault.ignoreUpgrade(),
  },
  'refuse-upgrade': {
    when: 'running',
    code: 'INCOMPATIBLE',
    meanwhile: asBefore,
    inject: (fault) => fault.refuseUpgrade(),
  },
  'not-lm-studio': {
    when: 'running',
    code: 'INCOMPATIBLE',
    meanwhile: asBefore,
    inject: (fault) => fault.notLmStudio(),
  },
};

const QUIET = { verbose: false } as const;

/** The error codes in an event. */
function codesIn(event: AutopilotEvent): readonly (string | null)[] {
  if (event.type === 'fault') return [errorCodeOf(event.error)];
  if (event.type === 'switch-finished') return event.report.failures.map(({ code }) => code);
  return [];
}

const keepsLarge = (event: AutopilotEvent): boolean =>
  event.type === 'decided' &&
  event.selection.decision === 'keep' &&
  event.selection.chosen?.modelKey === LARGE;

describe('after a fault of LM Studio, the best model is loaded and no load is left unfinished', () => {
  afterEach(() => expect(unhandled).toEqual([]));

  /** Opens a world of its own for a test. In the end, the autopilot leaves only `left` behind. */
  const inWorld = async (
    run: (subject: FaultTest) => Promise<unknown>,
    left: readonly string[] = [],
  ) => {
    const subject = await openFaultTest();
    try {
      await run(subject);
      await subject.autopilot.stop();
      expect(subject.residents()).toEqual(left);
    } finally {
      await subject.autopilot.stop();
      await subject.close();
    }
  };

  const recovers = async (
    subject: FaultTest,
    { when, inject, code, meanwhile, repeatsItself, isQuiet }: Case,
  ) => {
    let fault: ActiveFault;
    if (when === 'load') {
      fault = inject(subject.simulator.fault);
      await subject.autopilot.start();
    } else {
      await subject.autopilot.start();
      await subject.saw(keepsLarge);
      fault = inject(subject.simulator.fault);
      // Some faults affect only new connections, so end the present connections.
      subject.simulator.dropConnections();
    }
    await subject.saw((event) =>
      code === null
        ? keepsLarge(event) && (isQuiet === true || fault.hits > 0)
        : codesIn(event).includes(code),
    );
    expect(subject.residents()).toEqual(meanwhile);
    if (repeatsItself === true) {
      const tried = subject.loadsOf(LARGE);
      await subject.rounds(20);
      expect(subject.loadsOf(LARGE)).toBe(tried);
      subject.machine.othersBytes -= 5 * GIB;
    }
    fault.clear();
    await subject.saw(keepsLarge, subject.events.length);
    expect(subject.residents()).toEqual(asBefore);
  };

  const casesOf = (when: Case['when']) =>
    Object.entries(CASES).filter(([, one]) => one.when === when);

  // After such a fault the autopilot waits ten seconds until it asks again, so these tests wait together.
  test.concurrent.each(casesOf('running'))('%s', (_type, one) =>
    inWorld((subject) => recovers(subject, one)),
  );

  test.each(casesOf('load'))('%s', (_type, one) => inWorld((subject) => recovers(subject, one)));

  test('duplicate-loads: the autopilot reports copies that other clients have loaded, and does not unload them', async () => {
    const theirs = [SMALL, `${SMALL}:2`];
    await inWorld(async (subject) => {
      await subject.autopilot.start();
      await subject.saw(keepsLarge);
      subject.simulator.fault.duplicateLoads();
      const other = new LMStudioClient({ baseUrl: subject.simulator.baseUrl });
      await Promise.all([other.llm.model(SMALL, QUIET), other.llm.model(SMALL, QUIET)]);
      await subject.saw(({ type }) => type === 'duplicates');
      await subject.rounds(20);
      expect(subject.residents()).toEqual([OURS, ...theirs]);
      await other[Symbol.asyncDispose]();
    }, theirs);
  });

  test('abort-concurrent-loads: the autopilot repeats a load that another client has aborted', async () => {
    await inWorld(
      async (subject) => {
        subject.simulator.fault.abortConcurrentLoads();
        const stalled = subject.simulator.fault.stallLoad({ modelKey, times: 1 });
        const starting = subject.autopilot.start();
        await subject.simulator.seen('loadModel');
        const other = new LMStudioClient({ baseUrl: subject.simulator.baseUrl });
        await other.llm.load(SMALL, QUIET);
        stalled.clear();
        await starting;
        await subject.saw((event) => codesIn(event).includes('LOAD_FAILED'));
        await subject.saw(keepsLarge);
        expect(subject.residents()).toEqual([SMALL, OURS]);
        await other[Symbol.asyncDispose]();
      },
      [SMALL],
    );
  });
});
