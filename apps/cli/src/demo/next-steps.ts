import type { Output } from '../terminal/output.js';
import { padEnd, wrap } from '../terminal/text.js';

const SERVE = [
  'mai serve',
  'serve every client, and show the page at http://127.0.0.1:11435/',
] as const;
const WITH_LM_STUDIO = [
  ['mai select --load', 'load the best model that fits'],
  ['mai status --watch', 'see memory and models live'],
  ['mai models', 'see which models fit here, and why the others do not'],
  SERVE,
] as const;
const WITHOUT_LM_STUDIO = [
  ['lms server start', 'start LM Studio, then: mai select --load'],
  ['mai estimate FILE.gguf', 'estimate the memory that a model file would take'],
  ['mai doctor', 'check this machine, and say how to fix each problem'],
  SERVE,
] as const;

/** Prints the next steps on stdout. Prints nothing with --json. */
export function nextSteps(output: Output, running: boolean): void {
  if (output.json) return;
  const { style } = output;
  const steps = running ? WITH_LM_STUDIO : WITHOUT_LM_STUDIO;
  const width = Math.max(...steps.map(([command]) => command.length)) + 2;
  const lines = steps.flatMap(([command, does]) =>
    wrap(does, output.textWidth - width - 2).map(
      (text, index) =>
        `  ${style.accent(padEnd(index === 0 ? command : '', width))}${style.dim(text)}`,
    ),
  );
  output.result(`\n${style.heading('Next steps')}\n${lines.join('\n')}\n`);
}
