import { compareVersions, versionParts, type VersionParts } from './runtime-version.js';

/**
 * The runtimes of LM Studio that logs and reports name, oldest first: `bench/data/lmstudio-loads` and
 * lmstudio-bug-tracker #1740, #1764, #1821, #2086, #2293.
 */
const KNOWN_VERSIONS = [
  '1.44.0',
  '1.52.1',
  '2.0.0',
  '2.10.1',
  '2.11.0',
  '2.13.0',
  '2.16.0',
  '2.22.0',
  '2.23.0',
  '2.23.1',
  '2.24.0',
  '2.27.1',
  '2.28.2',
  '2.31.2',
  '2.37.0',
  '2.38.0',
] as const;

/** The newest runtime version whose defaults are known. */
export const NEWEST_VERSION = '2.38.0';

/** Versions of LM Studio's app, and the runtime that a log or an issue names with each. */
const RUNTIME_OF_APP: Readonly<Record<string, string>> = {
  '0.3.31': '1.52.1',
  '0.4.1': '2.0.0',
  '0.4.12': '2.13.0',
  '0.4.16': '2.22.0',
  '0.4.21': '2.28.2',
};

/**
 * The known version that the facts about a version belong to. For a version between two known ones, both
 * (`2.13.0 to 2.16.0`).
 */
export function factsVersionOf(version: VersionParts): string {
  const older = KNOWN_VERSIONS.findLast(
    (known) => compareVersions(versionParts(known), version) <= 0,
  );
  if (older === undefined) return KNOWN_VERSIONS[0];
  if (compareVersions(versionParts(older), version) === 0) return older;
  const newer = KNOWN_VERSIONS[KNOWN_VERSIONS.indexOf(older) + 1];
  return newer === undefined ? older : `${older} to ${newer}`;
}

/**
 * Refuses the version of LM Studio's app. App and runtime are updated separately, so the app's version does not state
 * the defaults. The app's versions begin with 0, and the runtimes' do not.
 *
 * @throws RangeError for the version of an app.
 */
export function refuseAppVersion(version: string): void {
  if (versionParts(version)[0] > 0) return;
  const runtime = Object.hasOwn(RUNTIME_OF_APP, version) ? RUNTIME_OF_APP[version] : undefined;
  const seen =
    runtime === undefined
      ? ''
      : ` LM Studio ${version} was seen with runtime ${runtime}: lmstudio@${runtime}.`;
  throw new RangeError(
    `${version} is a version of LM Studio's app, but the defaults depend on the version of its runtime, which 'lms runtime ls' prints (known: ${KNOWN_VERSIONS.join(', ')}).${seen}`,
  );
}
