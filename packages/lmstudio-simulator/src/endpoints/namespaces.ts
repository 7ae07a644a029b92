import type { Backend } from '../runtime/backend.js';
import { diagnosticsEndpoints } from './diagnostics-endpoints.js';
import { embeddingEndpoints } from './models/embedding-endpoints.js';
import { filesEndpoints } from './files-endpoints.js';
import type { Namespace } from '../wire/endpoint.js';
import { llmEndpoints } from './models/llm-endpoints.js';
import { modelEndpoints } from './models/model-endpoints.js';
import { completeNamespace } from './not-simulated.js';
import { repositoryEndpoints } from './repository-endpoints.js';
import { runtimeEndpoints } from './runtime-endpoints.js';
import { systemEndpoints } from './system-endpoints.js';

/**
 * The namespaces by socket path. Endpoints that are not simulated answer with an error. The upgrade to a path
 * without a namespace gets no answer.
 */
export function createNamespaces(backend: Backend): ReadonlyMap<string, Namespace> {
  const namespaces = new Map<string, Namespace>([
    ['system', completeNamespace('system', systemEndpoints(backend))],
    ['llm', new Map([...modelEndpoints(backend, 'llm'), ...llmEndpoints(backend)])],
    [
      'embedding',
      new Map([...modelEndpoints(backend, 'embedding'), ...embeddingEndpoints(backend)]),
    ],
    ['repository', completeNamespace('repository', repositoryEndpoints(backend))],
    ['diagnostics', new Map(diagnosticsEndpoints(backend))],
    ['files', completeNamespace('files', filesEndpoints())],
    ['plugins', completeNamespace('plugins', [])],
  ]);
  if (backend.runtime.profile.modern) {
    namespaces.set('runtime', completeNamespace('runtime', runtimeEndpoints(backend)));
  }
  return namespaces;
}
