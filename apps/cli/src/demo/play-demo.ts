import type { AutopilotPorts, MonitorPort, RunEvent, RunReport } from '@mai/autopilot';
import { assembleSelectionInput, runOnce } from '@mai/autopilot';
import { connect } from '@mai/lmstudio-adapter';
import { startSimulator } from '@mai/lmstudio-simulator';
import { defineModelConfig } from '@mai/model-config';
import type { PoolOutcome, Selection } from '@mai/selector';
import { selectModel } from '@mai/selector';
import type { Catalog } from '../compose/catalog.js';
import { createCatalog } from '../compose/catalog.js';
import { judgeModels } from '../compose/judge-models.js';
import { createHeaderShelf } from '../compose/header-shelf.js';
import { createFootprints } from '../compose/footprints.js';
import type { Library } from '../compose/library.js';
import { createMachine } from '../compose/machine.js';
import { composePorts } from '../compose/ports.js';
import type { CommandContext } from '../context.js';
import { formatBytes } from '../terminal/format.js';
import { createLiveView } from '../terminal/live-view.js';
import { displayAddress } from '../views/address.js';
import { describeFootprint, footprintBytes } from '../views/describe-footprint.js';
import { explainRejection } from '../views/explain-rejection.js';
import { poolLabel, renderPoolLegend, renderPools } from '../views/memory-pools.js';
import { renderModels } from '../views/models-view.js';
import { createRunNarrator } from '../views/run-view.js';
import type { DemoMonitor } from './demo-monitor.js';
import { createDemoMonitor } from './demo-monitor.js';
import type { DemoSetting } from './demo-world.js';
import { createDemoSetting } from './demo-world.js';
import type { Stage } from './stage.js';
import { createStage } from './stage.js';

/** How to play. */
export interface DemoOptions {
  /** Without pauses for reading, and with loads that take no time to speak of. */
  readonly fast: boolean;
  /** What the story is cut to; this machine unless given. */
  readonly machineMonitor?: MonitorPort;
}

const FAST_SPEED = 20;

/** Everything the story is played with. */
interface Play {
  readonly context: CommandContext;
  readonly stage: Stage;
  readonly setting: DemoSetting;
  readonly monitor: DemoMonitor;
  readonly ports: AutopilotPorts;
  readonly catalog: Catalog;
  readonly library: Library;
}

/** One decision of the story, as `--json` prints it. */
export interface DemoStep {
  readonly step: 'choose' | 'step-down' | 'step-up';
  readonly outcome: RunReport['outcome'];
  readonly modelKey: string | null;
  readonly pools: readonly PoolOutcome[];
}

/**
 * Plays the whole story against a simulated LM Studio and this machine's real memory: look, choose,
 * load, step down under injected pressure, step up again. Leaves nothing running.
 */
export async function playDemo(context: CommandContext, options: DemoOptions): Promise<void> {
  const { output, signal } = context;
  await using machine = createMachine(context);
  const { fast, machineMonitor = machine } = options;
  const setting = createDemoSetting(await machineMonitor.snapshot({ signal }));
  await using simulator = await startSimulator({
    world: setting.world,
    speed: fast ? FAST_SPEED : 1,
  });
  await using client = await connect({ baseUrl: simulator.httpUrl, signal, apiToken: '' });
  const models = await client.listDownloaded({ signal });
  const library: Library = {
    link: { kind: 'on', client },
    models,
    filesOf: () => null,
    incomplete: [],
    unreadable: [],
    origin: 'Simulated.',
  };
  const catalog = createCatalog(await defineModelConfig(setting.config), models);
  const monitor = createDemoMonitor(machineMonitor, simulator, setting.pool);
  const ports = composePorts({
    link: library.link,
    monitor,
    catalog: catalog.port,
    estimator: (anythingLoaded) =>
      createFootprints(
        library,
        { shelf: createHeaderShelf(context), calibration: null },
        anythingLoaded,
      ),
  });
  const stage = createStage(context, fast);
  const play: Play = { context, stage, setting, monitor, ports, catalog, library };

  stage.say(
    `A simulated LM Studio answers at ${displayAddress(client.baseUrl)}, with models cut to the size of this machine. The machine and its memory are real; nothing of yours is changed.`,
  );
  await showMachine(play);
  await showModels(play);
  const steps = [await choose(play), await stepDown(play), await stepUp(play)];
  if (output.json) output.resultJson({ simulated: true, steps });
  else stage.say(output.style.good('That was the whole story.'));
}

async function showMachine(play: Play): Promise<void> {
  const { stage } = play;
  stage.heading('What this machine has left');
  stage.lines(await poolLines(play));
  await stage.pause(1500);
}

async function showModels(play: Play): Promise<void> {
  const { stage, context, ports, catalog, library } = play;
  stage.heading('What is downloaded, and what each model takes here');
  const profiles = catalog.profiles.filter(({ downloaded }) => downloaded);
  const models = await judgeModels({ ports, catalog, library }, profiles, context.signal);
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
  const pool = setting.pool.deviceKey === null ? 'memory' : 'GPU memory';
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

/** Observe, decide, switch: the same call that `mai select --load` makes. */
async function switchModel(
  { ports, context, library }: Play,
  onDecided: (selection: Selection) => void,
): Promise<RunReport> {
  const narrator = createRunNarrator(context.output, library.models, '  ');
  let decided = false;
  const onEvent = (event: RunEvent) => {
    // Only the decision that started it: a run looks again after it has made room.
    if (event.type === 'decided' && !decided) {
      decided = true;
      onDecided(event.selection);
    }
    narrator.show(event);
  };
  try {
    return await runOnce(ports, { tradeOffs: false }, { signal: context.signal, onEvent });
  } finally {
    narrator.clear();
  }
}

/** Enough that the largest no longer fits, and the middle one still does. */
async function pressureFor({ ports, setting, context }: Play): Promise<number> {
  const input = await assembleSelectionInput(ports, { tradeOffs: false }, { signal: context.signal });
  const { pools } = selectModel({ ...input, candidates: [] });
  const name = setting.pool.deviceKey === null ? 'ram' : `gpu:${setting.pool.deviceKey}`;
  const pool = pools.find((one) => one.pool === name);
  if (pool === undefined) return 0;
  const [large, medium] = input.candidates.map(({ loadOptions }) => {
    const footprint = loadOptions[0]?.footprint;
    if (footprint == null) return 0;
    if (setting.pool.deviceKey === null) return footprintBytes(footprint);
    return footprint.gpus.find(({ deviceKey }) => deviceKey === setting.pool.deviceKey)?.bytes ?? 0;
  });
  const roomBytes = pool.limitRatio * pool.totalBytes - pool.othersBytes;
  return Math.max(0, Math.round(roomBytes - ((large ?? 0) + (medium ?? 0)) / 2));
}

const RAMP_FRAMES = 14;
const RAMP_FRAME_MS = 70;

/** Lets the injected part grow or shrink before the eye; elsewhere than on a terminal, at once. */
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
      // Slow at both ends, as things that have weight move.
      const eased = ratio * ratio * (3 - 2 * ratio);
      monitor.inject(fromBytes + (toBytes - fromBytes) * eased);
      view.show(`${(await poolLines(play)).join('\n')}\n`);
      if (frame < RAMP_FRAMES) await context.io.sleep(RAMP_FRAME_MS, context.signal);
    }
  } finally {
    view.close();
  }
}

async function poolLines({ ports, catalog, context, monitor }: Play): Promise<string[]> {
  const { output, signal } = context;
  const input = await assembleSelectionInput(
    { ...ports, catalog: catalog.portOf([]) },
    {},
    { signal },
  );
  const { pools } = selectModel({ ...input, candidates: [] });
  const injected = monitor.injected();
  const any = [...injected.values()].some((bytes) => bytes > 0);
  const over = pools.find(
    ({ useBeforeBytes, totalBytes, limitRatio }) => useBeforeBytes > limitRatio * totalBytes,
  );
  return [
    ...renderPools(pools, input.resources, 'before', output, injected),
    ...renderPoolLegend(pools, output, any),
    ...(over === undefined
      ? []
      : [`  ${output.style.bad(`${poolLabel(over.pool, input.resources)} is over its limit.`)}`]),
  ];
}

function stepOf(step: DemoStep['step'], { outcome, last }: RunReport): DemoStep {
  const { chosen, pools } = last.selection;
  return { step, outcome, modelKey: chosen?.modelKey ?? null, pools };
}
