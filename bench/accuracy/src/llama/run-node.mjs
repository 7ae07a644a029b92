import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a program of this folder. Writes `question` to its standard input as JSON, and parses its output as
 * JSON.
 *
 * @param env Variables in addition to those of this process.
 */
export async function runNode(program, question, env = {}) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url))], {
    env: { ...process.env, ...env },
  });
  const [stdout, stderr] = [[], []];
  child.stdout.on('data', (chunk) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => stderr.push(chunk));
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  child.stdin.end(JSON.stringify(question));
  const outcome = await ended;
  if (outcome !== 0)
    throw new Error(
      `${program} ended with ${outcome}\n${Buffer.concat(stderr).toString().slice(-2000)}`,
    );
  return JSON.parse(Buffer.concat(stdout).toString());
}
