import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createLiveView,
  describeFootprint,
  explainRejection,
  formatBytes,
  simulatedDemoPressure,
} from '@mai/host';
import type { Host, MonitorPort, PoolOutcome, Selection, SwitchReport } from '@mai/host';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { CommandContext } from '../context.js';
import { openHostOf } from '../open-host.js';
import { renderModels } from '../views/selection/models-view.js';
import { createRunReporter } from '../views/selection/run-view.js';
import { createDemoMonitor, type DemoMonitor } from './demo-monitor.js';
import { createDemoSetting, type DemoSetting } from './demo-world.js';
import { createDemoPrinter, demoPoolLines, type DemoPrinter } from './demo-printer.js';

/** Options of the demo. */
export interface DemoOptions {
  /** Leaves out the pauses for reading and shortens the loads. */
  readonly fast: boolean;
  /** The monitor of the machine whose memory the models are scaled to. Default: this machine. */
  readonly machineMonitor?: MonitorPort;
}

/** The parts of a running demo. */
interface DemoRun {
  readonly context: CommandContext;
  readonly printer: DemoPrinter;
  readonly setting: DemoSetting;
  readonly monitor: DemoMonitor;
  /** Uses the simulated LM Studio and the demo's monitor. */
  readonly host: Host;
}

/** One decision of the demo, as `--json` prints it. */
export interface DemoStep {
  readonly step: 'choose' | 'step-down' | 'step-up';
  readonly outcome: SwitchReport['outcome'];
  readonly modelKey: string | null;
  readonly pools: readonly PoolOutcome[];
}

/**
 * Runs the demo against a simulated LM Studio and this machine's real memory. It loads the best
 * model. Then it pretends that another program takes memory, and loads a smaller model. Then it
 * frees that memory, and loads the best model again. Stops everything that it has started.
 */
export async function runDemo(context: CommandContext, options: DemoOptions): Promise<void> {
  const { output, signal } = context;
  const { fast, machineMonitor } = options;
  await using here = await openHostOf(context);
  const real = machineMonitor ?? { snapshot: () => here.resources(), readRam: null, settled: null };
  const setting = createDemoSetting(await real.snapshot({ signal }));
  await using simulator = await startSimulator({ world: setting.world, speed: fast ? 20 : 1 });
  const monitor = createDemoMonitor(real, simulator, setting.pool.name);
  // A folder of its own, so that the demo does not use the user's configuration and data.
  const ownFolder = await mkdtemp(path.join(tmpdir(), 'mai-demo-'));
  await using _ = {
    [Symbol.asyncDispose]: () => rm(ownFolder, { recursive: true, force: true }),
  };
  await using host = await openHostOf(context, {
    url: simulator.httpUrl,
    apiToken: '',
    config: setting.config,
    monitor,
    userHome: ownFolder,
    dataFolder: ownFolder,
    cacheFolder: ownFolder,
    configFolder: ownFolder,
  });
  const printer = createDemoPrinter(context, fast);
  const demo: DemoRun = { context, printer, setting, monitor, host };

  printer.say(
    `A simulated LM Studio answers at ${new URL(simulator.httpUrl).host}, with models scaled to this machine. The machine and its memory are real; your LM Studio and your files are not changed.`,
  );
  printer.heading('Memory of this machine');
  printer.lines(await poolLines(demo));
  await printer.pause(1500);
  printer.heading('Downloaded models, and the memory that each takes here');
  printer.lines(
    renderModels((await host.models()).models, output, 2)
      .trimEnd()
      .split('\n'),
  );
  await printer.pause(2000);
  const steps = [await choose(demo), await stepDown(demo), await stepUp(demo)];
  if (output.json) output.resultJson({ simulated: true, steps });
  else printer.say(output.style.good('The demo is over.'));
}

async function choose(demo: DemoRun): Promise<DemoStep> {
  const { printer, context } = demo;
  const { style } = context.output;
  printer.heading('Load the best model that fits');
  return await play(demo, 'choose', 2000, ({ chosen }) => {
    if (chosen?.footprint == null) return;
    printer.text(
      `${style.good('Choice')}: ${style.bold(chosen.modelKey)} is first in the chain and fits. It takes ${describeFootprint(chosen.footprint)}.`,
    );
  });
}

async function stepDown(demo: DemoRun): Promise<DemoStep> {
  const { printer, context, setting, host } = demo;
  const { style } = context.output;
  printer.heading('Memory gets tight', style.caution('(injected)'));
  const { input } = await host.select(AS_CONFIGURED);
  const { name } = setting.pool;
  const targetBytes = simulatedDemoPressure(input, (await host.status()).pools, name);
  const pool = name === 'ram' ? 'memory' : 'GPU memory';
  printer.text(
    `The demo pretends that another program takes ${formatBytes(targetBytes)} of ${pool}.`,
  );
  await ramp(demo, 0, targetBytes);
  await printer.pause(1500);
  return await play(demo, 'step-down', 2500, ({ chosen, rejected }) => {
    const [first] = rejected;
    if (first === undefined) return;
    printer.text(
      `${style.caution('Step down')}: ${first.modelKey} ${explainRejection(first.rejection)}; ${style.bold(chosen?.modelKey ?? 'nothing')} fits.`,
    );
  });
}

async function stepUp(demo: DemoRun): Promise<DemoStep> {
  const { printer, context, monitor } = demo;
  const { style } = context.output;
  printer.heading('Memory is free again', style.caution('(injected memory removed)'));
  await ramp(demo, [...monitor.injected().values()][0] ?? 0, 0);
  await printer.pause(1000);
  return await play(demo, 'step-up', 1500, ({ chosen }) => {
    printer.text(
      `${style.good('Step up')}: ${style.bold(chosen?.modelKey ?? 'nothing')} fits again.`,
    );
  });
}

/** Makes a decision, carries it out as `mai select --load` does, and shows the memory afterwards. */
async function play(
  demo: DemoRun,
  step: DemoStep['step'],
  pauseMs: number,
  onDecided: (selection: Selection) => void,
): Promise<DemoStep> {
  const { host, context, printer } = demo;
  const reporter = createRunReporter(context.output, '  ');
  let decided = false;
  try {
    const { outcome, last } = await host.switchModel(AS_CONFIGURED, {
      onEvent: (event, sizeBytes) => {
        // Shows only the first decision. Unloading to make room causes further decisions.
        if (event.type === 'decided' && !decided) {
          decided = true;
          onDecided(event.selection);
        }
        reporter.show(event, sizeBytes);
      },
    });
    printer.lines(await poolLines(demo));
    await printer.pause(pauseMs);
    const { chosen, pools } = last.selection;
    return { step, outcome, modelKey: chosen?.modelKey ?? null, pools };
  } finally {
    reporter.clear();
  }
}

/** Without trade-offs, so that each model has one load option. */
const AS_CONFIGURED = { tradeOffs: false };

const RAMP_FRAMES = 14;
const RAMP_FRAME_MS = 70;

/** Changes the injected bytes step by step on a terminal, and at once elsewhere. */
async function ramp(demo: DemoRun, fromBytes: number, toBytes: number): Promise<void> {
  const { context, monitor, printer } = demo;
  const { output } = context;
  if (output.json) {
    monitor.inject(toBytes);
    return;
  }
  const animated = output.stdout.isTTY && !printer.fast;
  const view = createLiveView(output);
  try {
    for (let frame = animated ? 1 : RAMP_FRAMES; frame <= RAMP_FRAMES; frame += 1) {
      monitor.inject(fromBytes + ((toBytes - fromBytes) * frame) / RAMP_FRAMES);
      view.show(`${(await poolLines(demo)).join('\n')}\n`);
      if (frame < RAMP_FRAMES) await context.io.sleep(RAMP_FRAME_MS, context.signal);
    }
  } finally {
    view.close();
  }
}

async function poolLines({ host, context, monitor }: DemoRun): Promise<string[]> {
  return demoPoolLines(await host.status(), context.output, monitor.injected());
}
