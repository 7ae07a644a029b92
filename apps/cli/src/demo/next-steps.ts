import { padEnd, wrap } from '@mai/host';
import type { Output } from '../terminal/output.js';

const SERVE = [
  'mai serve',
  'serve every client, and show the page at http://127.0.0.1:11435/',
] as const;
const WITH_MODELS = [
  ['mai select --load', 'load the best model that fits'],
  ['mai status --watch', 'see memory and models live'],
  ['mai models', 'see which models fit here, and why the others do not'],
  SERVE,
] as const;
const EMBEDDED = [
  ['mai chat', 'talk to the best model that fits'],
  ...WITH_MODELS.slice(1),
] as const;
const NO_ENGINE = [
  ['lms server start', 'start LM Studio, then: mai select --load'],
  ['mai estimate FILE.gguf', 'estimate the memory that a model file would take'],
  ['mai doctor', 'check this machine, and say how to fix each problem'],
  SERVE,
] as const;

const NO_MODELS = [
  ['mai models --models FOLDER', 'see which GGUF models of a folder fit here'],
  ['mai chat --models FOLDER', 'talk to the best of them'],
  ['mai doctor', 'check this machine, and say how to fix each problem'],
  SERVE,
] as const;
const STEPS = {
  machine: WITH_MODELS,
  embedded: EMBEDDED,
  'no-models': NO_MODELS,
  'no-engine': NO_ENGINE,
};

/** Prints the next steps on stdout. Prints nothing with --json. */
export function nextSteps(output: Output, after: keyof typeof STEPS): void {
  if (output.json) return;
  const { style } = output;
  const steps = STEPS[after];
  const width = Math.max(...steps.map(([command]) => command.length)) + 2;
  const lines = steps.flatMap(([command, does]) =>
    wrap(does, output.textWidth - width - 2).map(
      (text, index) =>
        `  ${style.accent(padEnd(index === 0 ? command : '', width))}${style.dim(text)}`,
    ),
  );
  output.result(`\n${style.heading('Next steps')}\n${lines.join('\n')}\n`);
}
