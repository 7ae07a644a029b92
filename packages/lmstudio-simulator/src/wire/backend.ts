import type { Host } from '../host/host.js';
import type { ResidentState } from '../host/resident.js';
import type { Profile } from '../profile.js';
import type { ModelSpecifier } from './frames.js';
import { noModelMatchingQuery } from './wire-error.js';

/** What the endpoints work on. */
export interface Backend {
  readonly host: Host;
  readonly profile: Profile;
  /** LM Studio goes away and comes back after so long. */
  restart(downMs: number): void;
}

/** Finds the instance that a client means. @throws WireError where there is none. */
export function resolveSpecifier(
  { host }: Backend,
  domain: 'llm' | 'embedding',
  specifier: ModelSpecifier,
): ResidentState {
  if (specifier.type === 'instanceReference') {
    return host.findByReference(specifier.instanceReference);
  }
  const { query } = specifier;
  const found = host
    .residents()
    .find(
      ({ file, identifier }) =>
        file.model.type === domain &&
        (query.identifier === undefined || query.identifier === identifier) &&
        (query.path === undefined ||
          [file.modelKey, file.model.modelKey, file.path].includes(query.path)) &&
        (query.vision === undefined || query.vision === file.model.vision) &&
        (query.deviceIdentifier === undefined || query.deviceIdentifier === file.device.identifier),
    );
  if (!found) throw noModelMatchingQuery(query, host.loadedIdentifiers(domain));
  return found;
}
