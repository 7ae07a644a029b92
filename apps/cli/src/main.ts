import manifest from '../package.json' with { type: 'json' };
import { runProcess } from './run-process.js';

void runProcess(process.argv.slice(2), manifest.version);
