import { runCli } from './cli.js';

async function main(): Promise<void> {
  const outcome = await runCli(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
  if (typeof outcome === 'number') {
    process.exitCode = outcome;
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void outcome.stop());
  }
}

void main();
