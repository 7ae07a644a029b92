import type { ResourceMonitor } from '@mai/resource-monitor';
import { createResourceMonitor } from '@mai/resource-monitor';
import type { CommandContext } from '../context.js';

/** The monitor of this machine, as every command but the demo uses it. */
export function createMachine({ io }: CommandContext): ResourceMonitor {
  return createResourceMonitor({ env: io.env, platform: io.platform });
}
