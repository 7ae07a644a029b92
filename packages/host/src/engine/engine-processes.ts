import type { EnginePort } from '@mai/autopilot';
import type { EngineWatch, ResidentInstance } from '@mai/lmstudio-adapter';
import { readPrivateMemory } from '@mai/resource-monitor';
import { findReport } from './find-report.js';

/**
 * Measures the engines' processes. LM Studio's engine logs contain the process ids. Only log lines printed since the
 * watch began are known.
 *
 * @param residents - the last list of residents
 */
export function createEnginePort(
  watch: Pick<EngineWatch, 'reports'>,
  residents: () => readonly ResidentInstance[],
): EnginePort {
  return {
    anonymousBytes: async (identifiers, { signal }) => {
      const known = watch.reports();
      const processOf = (identifier: string): number | null => {
        const resident = residents().find((one) => one.instanceIdentifier === identifier);
        if (resident === undefined) return null;
        // Locked weights count as used memory, but not as anonymous memory of the process.
        return resident.keepModelInMemory === false
          ? (findReport(resident, known)?.pid ?? null)
          : null;
      };
      const processes = identifiers.map(
        (identifier) => [identifier, processOf(identifier)] as const,
      );
      const isAlone = (processId: number): boolean =>
        processes.filter(([, other]) => other === processId).length === 1;
      const measured = await Promise.all(
        processes.map(async ([identifier, processId]) => {
          if (processId === null || !isAlone(processId)) return [];
          const bytes = await readPrivateMemory([processId], { signal: signal ?? null });
          // 0 bytes: the process has ended.
          return bytes === null || bytes === 0 ? [] : [[identifier, bytes] as const];
        }),
      );
      return new Map(measured.flat());
    },
  };
}
