import { charge } from '@mai/memory-ledger';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatBytes } from '@mai/host';
import type { Host, MonitorPort, PoolOutcome, Selection, SwitchReport } from '@mai/host';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { CommandContext } from '../context.js';
import { openHostOf } from '../open-host.js';
import { createLiveView } from '../terminal/live-view.js';
import { describeFootprint } from '../views/machine/describe-footprint.js';
import { poolLabel, renderPoolLegend, renderPools } from '../views/machine/memory-pools.js';
import { explainRejection } from '../views/selection/explain-rejection.js';
import { renderModels } from '../views/selection/models-view.js';
import { createRunNarrator } from '../views/selection/run-view.js';
import { createDemoMonitor, type DemoMonitor } from './demo-monitor.js';
import { createDemoSetting, type DemoSetting } from './demo-world.js';
import { createStage, type Stage } from './stage.js';

/** Options of the demo. */
export interface DemoOptions {
  /** Without pauses for reading, and with very short loads. */
  readonly fast: boolean;
  /** The machine that the story is scaled to; this one unless given. */
  readonly machineMonitor?: MonitorPort;
}

const FAST_SPEED = 20;

/** The parts of a running demo. */
interface Play {
  readonly context: CommandContext;
  readonly stage: Stage;
  readonly setting: DemoSetting;
  readonly monitor: DemoMonitor;
  /** Joins the simulated LM Studio with the demo's monitor. */
  readonly host: Host;
}

/** One decision of the story, as `--json` prints it. */
export interface DemoStep {
  readonly step: 'choose' | 'step-down' | 'step-up';
  readonly outcome: SwitchReport['outcome'];
  readonly modelKey: string | null;
  readonly pools: readonly PoolOutcome[];
}

/**
 * Plays the story against a simulated LM Studio and this machine's real memory: look, choose,
 * load, step down under injected pressure, step up again. Ends everything that it has started.
 */
export async function playDemo(context: CommandContext, options: DemoOptions): Promise<void> {
  const { output, signal } = context;
  const { fast, machineMonitor } = options;
  await using machine = await openHostOf(context);
  const real = machineMonitor ?? {
    snapshot: () => machine.resources(),
    readRam: null,
    settled: null,
  };
  const setting = createDemoSetting(await real.snapshot({ signal }));
  await using simulator = await startSimulator({
    world: setting.world,
    speed: fast ? FAST_SPEED : 1,
  });
  const monitor = createDemoMonitor(real, simulator, setting.pool.name);
  // Nothing of this user's counts in the story, and nothing is kept of it.
  const nowhere = path.join(tmpdir(), `mai-demo-${randomUUID()}`);
  await using host = await openHostOf(context, {
    url: simulator.httpUrl,
    apiToken: '',
    config: setting.config,
    monitor,
    userHome: nowhere,
    ...{ dataFolder: nowhere, cacheFolder: nowhere, configFolder: nowhere },
  });
  const stage = createStage(context, fast);
  const play: Play = { context, stage, setting, monitor, host };

  stage.say(
    `A simulated LM Studio answers at ${new URL(simulator.httpUrl).host}, with models scaled to this machine. The machine and its memory are real; your LM Studio and your files are not changed.`,
  );
  await showMachine(play);
  await showModels(play);
  const steps = [await choose(play), await stepDown(play), await stepUp(play)];
  if (output.json) output.resultJson({ simulated: true, steps });
  else stage.say(output.style.good('That was the whole story.'));
}

async function showMachine(play: Play): Promise<void> {
  const { stage } = play;
  stage.heading('Memory of this machine');
  stage.lines(await poolLines(play));
  await stage.pause(1500);
}

async function showModels({ stage, context, host }: Play): Promise<void> {
  stage.heading('Downloaded models, and the memory that each takes here');
  const { models } = await host.models();
  stage.lines(renderModels(models, context.output, 2).trimEnd().split('\n'));
  await stage.pause(2000);
}

async function choose(play: Play): Promise<DemoStep> {
  const { stage, context } = play;
  const { style } = context.output;
  stage.heading('The best that fits, loaded');
  const report = await switchModel(play, ({ chosen }) => {
    if (chosen?.footprint == null) return;
    stage.text(
      `${style.good('Choice')}: ${style.bold(chosen.modelKey)} is first in the chain and fits. It takes ${describeFootprint(chosen.footprint)}.`,
    );
  });
  stage.lines(await poolLines(play));
  await stage.pause(2000);
  return stepOf('choose', report);
}

async function stepDown(play: Play): Promise<DemoStep> {
  const { stage, context, setting } = play;
  const { style } = context.output;
  stage.heading('Memory gets tight', style.caution('(injected)'));
  const targetBytes = await pressureFor(play);
  const pool = setting.pool.name === 'ram' ? 'memory' : 'GPU memory';
  stage.text(
    `The demo pretends that another program takes ${formatBytes(targetBytes)} of ${pool}.`,
  );
  await ramp(play, 0, targetBytes);
  await stage.pause(1500);
  const report = await switchModel(play, ({ chosen, rejected }) => {
    const [first] = rejected;
    if (first === undefined) return;
    stage.text(
      `${style.caution('Step down')}: ${first.modelKey} ${explainRejection(first.rejection)}; ${style.bold(chosen?.modelKey ?? 'nothing')} fits.`,
    );
  });
  stage.lines(await poolLines(play));
  await stage.pause(2500);
  return stepOf('step-down', report);
}

async function stepUp(play: Play): Promise<DemoStep> {
  const { stage, context, monitor } = play;
  const { style } = context.output;
  stage.heading('The pressure is gone', style.caution('(the injected one)'));
  await ramp(play, [...monitor.injected().values()][0] ?? 0, 0);
  await stage.pause(1000);
  const report = await switchModel(play, ({ chosen }) => {
    stage.text(
      `${style.good('Step up')}: ${style.bold(chosen?.modelKey ?? 'nothing')} fits again.`,
    );
  });
  stage.lines(await poolLines(play));
  await stage.pause(1500);
  return stepOf('step-up', report);
}

/** Observe, decide, switch: the same function as `mai select --load`. */
async function switchModel(
  { host, context }: Play,
  onDecided: (selection: Selection) => void,
): Promise<SwitchReport> {
  const narrator = createRunNarrator(context.output, '  ');
  let decided = false;
  try {
    return await host.switchModel(AS_CONFIGURED, {
      onEvent: (event, sizeBytes) => {
        // Only the decision that started the switch: making room causes further decisions.
        if (event.type === 'decided' && !decided) {
          decided = true;
          onDecided(event.selection);
        }
        narrator.show(event, sizeBytes);
      },
    });
  } finally {
    narrator.clear();
  }
}

/** The story has one load option for each model. */
const AS_CONFIGURED = { tradeOffs: false };

/** Bytes with which the largest model no longer fits, and the middle one still does. */
async function pressureFor({ host, setting }: Play): Promise<number> {
  const { input } = await host.select(AS_CONFIGURED);
  const { pools } = await host.status();
  const { name } = setting.pool;
  const pool = pools.find((one) => one.pool === name);
  if (pool === undefined) return 0;
  const [large, medium] = input.candidates.map(({ loadOptions }) => {
    const footprint = loadOptions[0]?.footprint;
    if (footprint == null) return 0;
    return charge(footprint, input.resources, 'expected').charge.get(name) ?? 0;
  });
  const roomBytes = pool.limitBytes - pool.othersBytes;
  return Math.max(0, Math.round(roomBytes - ((large ?? 0) + (medium ?? 0)) / 2));
}

const RAMP_FRAMES = 14;
const RAMP_FRAME_MS = 70;

/** Changes the injected bytes step by step on a terminal; elsewhere at once. */
async function ramp(play: Play, fromBytes: number, toBytes: number): Promise<void> {
  const { context, monitor, stage } = play;
  const { output } = context;
  if (output.json) {
    monitor.inject(toBytes);
    return;
  }
  const animated = output.stdout.isTTY && !stage.fast;
  const view = createLiveView(output.stdout);
  try {
    for (let frame = animated ? 1 : RAMP_FRAMES; frame <= RAMP_FRAMES; frame += 1) {
      const ratio = frame / RAMP_FRAMES;
      // Ease in and out: slow at both ends.
      const eased = ratio * ratio * (3 - 2 * ratio);
      monitor.inject(fromBytes + (toBytes - fromBytes) * eased);
      view.show(`${(await poolLines(play)).join('\n')}\n`);
      if (frame < RAMP_FRAMES) await context.io.sleep(RAMP_FRAME_MS, context.signal);
    }
  } finally {
    view.close();
  }
}

async function poolLines({ host, context, monitor }: Play): Promise<string[]> {
  const { output } = context;
  const { pools, resources } = await host.status();
  const injected = monitor.injected();
  const any = [...injected.values()].some((bytes) => bytes > 0);
  const over = pools.find(({ useBeforeBytes, limitBytes }) => useBeforeBytes > limitBytes);
  return [
    ...renderPools(pools, resources, 'before', output, injected),
    ...renderPoolLegend(pools, output, any),
    ...(over === undefined
      ? []
      : [`  ${output.style.bad(`${poolLabel(over.pool, resources)} is over its limit.`)}`]),
  ];
}

function stepOf(step: DemoStep['step'], { outcome, last }: SwitchReport): DemoStep {
  const { chosen, pools } = last.selection;
  return { step, outcome, modelKey: chosen?.modelKey ?? null, pools };
}
