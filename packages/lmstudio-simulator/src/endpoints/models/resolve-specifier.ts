import type { Backend } from '../../runtime/backend.js';
import type { ModelDomain } from '../../runtime/device.js';
import type { ResidentState } from '../../runtime/resident.js';
import type { ModelSpecifier } from '../../wire/frames.js';
import { noModelMatchingQuery } from '../../wire/wire-error.js';

/** Finds the instance that a client specifies. @throws WireError where there is none. */
export function resolveSpecifier(
  { runtime }: Backend,
  domain: ModelDomain,
  specifier: ModelSpecifier,
): ResidentState {
  if (specifier.type === 'instanceReference') {
    return runtime.residents.getByReference(specifier.instanceReference);
  }
  const { query } = specifier;
  const found = runtime.residents.all.find(
    ({ file, domain: loadedAs, identifier }) =>
      loadedAs === domain &&
      (query.identifier === undefined || query.identifier === identifier) &&
      (query.path === undefined ||
        [file.modelKey, file.model.modelKey, file.filePath].includes(query.path)) &&
      (query.vision === undefined || query.vision === file.model.vision) &&
      (query.deviceIdentifier === undefined || query.deviceIdentifier === file.device.identifier),
  );
  if (!found) throw noModelMatchingQuery(query, runtime.residents.identifiers(domain));
  return found;
}
