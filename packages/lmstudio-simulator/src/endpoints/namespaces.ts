import type { Backend } from './backend.js';
import { diagnosticsEndpoints } from './diagnostics-endpoints.js';
import { embeddingEndpoints } from './embedding-endpoints.js';
import { filesEndpoints } from './files-endpoints.js';
import type { Namespace } from '../wire/endpoint.js';
import { llmEndpoints } from './llm-endpoints.js';
import { modelEndpoints } from './model-endpoints.js';
import { completeNamespace } from './not-simulated.js';
import { repositoryEndpoints } from './repository-endpoints.js';
import { runtimeEndpoints } from './runtime-endpoints.js';
import { systemEndpoints } from './system-endpoints.js';

/**
 * The namespaces by socket path. An endpoint that LM Studio has and the simulator does not answers with an error.
 * A namespace that LM Studio does not have is missing, and its upgrade gets no answer.
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
  if (backend.profile.modern) {
    namespaces.set('runtime', completeNamespace('runtime', runtimeEndpoints(backend)));
  }
  return namespaces;
}
