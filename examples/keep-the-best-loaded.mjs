// Always keeps the best fitting model loaded while free memory changes, and prints each switch. Ends with Ctrl-C.
import { openHost } from '@mai/host';

const host = await openHost({ url: process.env.MAI_LMSTUDIO_URL });
process.once('SIGINT', () => void host[Symbol.asyncDispose]());
const autopilot = await host.startAutopilot();
for await (const event of autopilot.events) {
  if (event.type === 'switch-started') console.log(`switching: ${event.reason}`);
  if (event.type === 'switch-finished') {
    for (const { modelKey } of event.report.unloaded) console.log(`- ${modelKey}`);
    for (const { modelKey } of event.report.loaded) console.log(`+ ${modelKey}`);
    if (process.argv.includes('--once')) break;
  }
  if (event.type === 'fault') console.log(`LM Studio: ${event.error.message}`);
}
await host[Symbol.asyncDispose]();
