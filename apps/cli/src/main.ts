import manifest from '../package.json' with { type: 'json' };
import { runProcess } from './run-process.js';

// When nothing is left to do, `exit` ends the process without freeing the memory first, which takes 2 ms.
process.once('beforeExit', () => process.exit());
void runProcess(process.argv.slice(2), manifest.version);
