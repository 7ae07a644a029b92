import type { EngineReport, ResidentInstance } from '@mai/lmstudio-adapter';

/**
 * The latest report of the engine that runs an instance; null where it printed nothing since the watch began. A later
 * copy with the same identifier has another reference.
 *
 * @param reference - as `ResidentInstance.reference`
 */
export function findReport(
  {
    instanceIdentifier,
    reference,
  }: Pick<ResidentInstance, 'instanceIdentifier'> & { readonly reference: string | null },
  reports: readonly EngineReport[],
): EngineReport | null {
  const found = reports.findLast((one) =>
    reference === null || one.reference === null
      ? one.instanceIdentifier === instanceIdentifier
      : one.reference === reference,
  );
  return found ?? null;
}
