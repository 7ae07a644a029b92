// Prints node-llama-cpp's predictions for headers without tensor data. Reads [{ file, cases }] as JSON from
// standard input, and prints the answers in the same order.
import { readFileSync } from 'node:fs';
import { askNodeLlamaCpp } from './ask-node-llama-cpp.mjs';
import { startLlama } from './start-llama.mjs';

const { llama } = await startLlama();
const answers = [];
for (const { file, cases } of JSON.parse(readFileSync(0, 'utf8')))
  answers.push(await askNodeLlamaCpp(llama, file, cases));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
