import type { LMStudioClient, ResidentInstance } from '@mai/lmstudio-adapter';
import { displayAddress, plural } from '../words.js';
import type { Check } from './check.js';
import { ok, warning } from './check.js';

/** Checks the connection, engines, linked machines and residents, where this version of LM Studio reports them. */
export async function checkLMStudio(
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { version, build } = client.connectedVersion;
  const [engines, devices, residents] = await Promise.all([
    client.selectedEngines({ signal }),
    client.devices({ signal }),
    client.listResidents({ signal }),
  ]);
  const linked = devices?.peers.filter(({ connected }) => connected) ?? [];
  return [
    ok(
      'LM Studio',
      `Version ${version} (build ${build}) answers at ${displayAddress(client.baseUrl)}.`,
    ),
    checkHost(client),
    engines === null || engines.length === 0
      ? warning(
          'Engines',
          'This version of LM Studio does not report its engines.',
          'Update LM Studio.',
        )
      : ok(
          'Engines',
          `${engines.map(({ format, name, version }) => `${format.toUpperCase()}: ${name} ${version}`).join('; ')}.`,
        ),
    ...(linked.length === 0
      ? []
      : [
          ok(
            'LM Link',
            `${plural(linked.length, 'other machine')} connected: ${linked.map(({ deviceName }) => deviceName).join(', ')}. Mai cannot read the memory of other machines.`,
          ),
        ]),
    checkResidents(residents),
  ];
}

function checkHost({ host, baseUrl }: LMStudioClient): Check {
  const name = 'Machine';
  switch (host.reason) {
    case 'same-machine':
      return ok(name, 'LM Studio runs on this machine, so memory readings apply to it.');
    case 'other-host':
      return warning(
        name,
        `LM Studio runs on another machine (${displayAddress(baseUrl)}). Mai knows the total memory of that machine, but not its free memory.`,
        'Run mai on that machine, so that it can read the free memory.',
      );
    case 'wsl-host':
      return warning(
        name,
        'This is WSL2 and LM Studio runs on Windows. Linux here shows other memory figures than Windows.',
        'Run mai on Windows, so that it can read the free memory.',
      );
    case 'container-host':
      return warning(
        name,
        'This is a container and LM Studio runs on its host. The memory limit of the container does not apply to LM Studio.',
        'Run mai on the host, so that it can read the free memory.',
      );
  }
}

/** Warns where a model is loaded more than once. */
export function checkResidents(residents: readonly ResidentInstance[]): Check {
  const counts = new Map<string, number>();
  for (const { modelKey } of residents) counts.set(modelKey, (counts.get(modelKey) ?? 0) + 1);
  const duplicates = [...counts].filter(([, count]) => count > 1);
  const [first] = duplicates;
  if (first === undefined) {
    return ok(
      'Loaded',
      residents.length === 0
        ? 'Nothing is loaded.'
        : `${plural(residents.length, 'model')} loaded, each once.`,
    );
  }
  return warning(
    'Loaded',
    `${first[0]} is loaded ${first[1]} times, and each copy takes memory.`,
    `mai unload ${first[0]} --all, then load it once.`,
  );
}
