import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLiveView, playDemo, type DemoStage } from '@mai/host';
import type { CommandContext } from '../context.js';
import { openHostOf } from '../open-host.js';
import { renderModels } from '../views/selection/models-view.js';
import { createDemoPrinter, demoPoolLines } from './demo-printer.js';

const FRAME_MS = 150;
const PAUSE_MS = 1500;

/** Plays the demo with real models and real memory. Returns why it cannot run on this machine; null where it has run. */
export async function runRealDemo(
  context: CommandContext,
  { fast }: { readonly fast: boolean },
): Promise<string | null> {
  const { output, io, signal } = context;
  const startMs = io.nowMs();
  const printer = createDemoPrinter(context, fast);
  const memory: DemoStage['memory'] = (status) => printer.lines(demoPoolLines(status, output));
  const steps = await playDemo({
    openHost: (options) => openHostOf(context, options),
    folders: [tmpdir(), path.join(io.homeFolder, '.cache', 'mai'), '/var/tmp'],
    signal,
    style: output.style,
    heading: printer.heading,
    text: printer.text,
    memory,
    pause: () => printer.pause(PAUSE_MS),
    progress: (totalBytes) => output.progress('  Writing', totalBytes),
    models: (models) => printer.lines(renderModels(models, output, 2).trimEnd().split('\n')),
    whileMemoryChanges: async (read, done) => {
      if (output.json || !output.stdout.isTTY || printer.fast) return done;
      const view = createLiveView(output);
      let isDone = false;
      const ended = done.finally(() => (isDone = true));
      ended.catch(() => undefined);
      try {
        while (!isDone) {
          view.show(`${demoPoolLines(await read(), output).join('\n')}\n`);
          await io.sleep(FRAME_MS, signal);
        }
        return await ended;
      } finally {
        view.close();
      }
    },
  });
  if (typeof steps === 'string') return steps;
  const seconds = Math.round((io.nowMs() - startMs) / 1000);
  if (output.json) output.resultJson({ simulated: false, noise: true, steps });
  else
    printer.say(
      `\n${output.style.good('The demo is over.')} It took ${seconds} s. Its models are removed.`,
    );
  return null;
}
