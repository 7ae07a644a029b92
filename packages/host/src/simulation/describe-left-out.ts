/** Model keys of a list that are named. The others are counted. */
const NAMED_MAX = 5;

const REMEDY =
  'Give them a `simulate: { footprint: 7.2GiB }` in the configuration, or download them.';

/** Why a chain has no model that can be simulated, and what to do. @param leftOut - models whose memory is not known */
export function whyNoModels(chainName: string | null, leftOut: readonly string[]): string {
  const chain = chainName === null ? 'The chain' : `The chain ${chainName}`;
  return leftOut.length === 0
    ? `${chain} has no models. Name models in the configuration, each with a \`simulate:\` block.`
    : `The memory of the chain's models is not known: ${leftOut.join(', ')}. ${REMEDY}`;
}

/** Which models of a chain are not simulated, and why. `isExpected`: nothing has to be mended. */
export function leftOutOfSimulation({
  leftOut,
  absent,
}: {
  readonly leftOut: readonly string[];
  readonly absent: readonly string[];
}): readonly { readonly text: string; readonly isExpected: boolean }[] {
  const more = absent.length > NAMED_MAX ? ` and ${absent.length - NAMED_MAX} more` : '';
  const names = `${absent.slice(0, NAMED_MAX).join(', ')}${more}`;
  const notDownloaded = `These models are left out, because they are not downloaded: ${names}.`;
  const unknown = `These models are left out, because their memory is not known: ${leftOut.join(', ')}. ${REMEDY}`;
  return [
    ...(absent.length === 0 ? [] : [{ text: notDownloaded, isExpected: true }]),
    ...(leftOut.length === 0 ? [] : [{ text: unknown, isExpected: false }]),
  ];
}
