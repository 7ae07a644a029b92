import { existsSync } from 'node:fs';
import path from 'node:path';

/** The built program. `npm test` builds it before it tests. */
export const MAI = path.join(__dirname, '..', 'bin', 'mai.js');

/** Fails where the program was not built. */
export function requireBuild(): void {
  if (!existsSync(path.join(__dirname, '..', 'dist', 'main.cjs')))
    throw new Error('Not built: npm run build.');
}
