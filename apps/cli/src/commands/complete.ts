import type { Input } from '../command-line/input.js';
import { findAutopilotFiles } from '../compose/autopilot-files.js';
import { withLink } from '../compose/connect-lmstudio.js';
import { loadConfig } from '../compose/load-config.js';
import { readJournal } from '../compose/tell-autopilot.js';
import type { CommandContext } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';

/** `mai complete WHAT`: names for a shell, one a line. What can't be found out is no name. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  for (const name of await namesOf(input.positionals[0] ?? '', context)) {
    context.output.result(`${name}\n`);
  }
  return EXIT.success;
}

async function namesOf(what: string, context: CommandContext): Promise<readonly string[]> {
  if (what === 'chain') return Object.keys((await loadConfig(context)).config.fallbackChains);
  if (what === 'pin') {
    const { pins } = await readJournal(await findAutopilotFiles(context), context);
    return pins.map(({ target }) => target);
  }
  const { libraryOf } = await import('../compose/knowledge.js');
  return withLink(context, async (link) => {
    if (what === 'model') {
      return (await libraryOf(link, context)).models.map(({ modelKey }) => modelKey);
    }
    if (link.kind === 'off') return [];
    const residents = await link.client.listResidents({ signal: context.signal });
    return residents.map(({ instanceIdentifier }) => instanceIdentifier);
  });
}
