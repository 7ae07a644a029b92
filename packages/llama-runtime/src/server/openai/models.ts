import { RequestError } from '../../engine/request-error.js';
import type { Engine } from '../../engine/engine.js';
import { sendJson, type Exchange } from '../exchange.js';
import { stringField } from '../fields.js';
import type { JsonObject } from '../json.js';

const STARTED_AT_S = Math.floor(Date.now() / 1000);

/** Answers `GET /v1/models` with the names under which the model is served. */
export function listModels({ engine, response }: Exchange): void {
  const data = namesOf(engine).map((id) => ({
    id,
    object: 'model',
    created: STARTED_AT_S,
    owned_by: 'mai',
  }));
  sendJson(response, 200, { object: 'list', data });
}

/**
 * The model's name in a request.
 *
 * @throws RequestError 400 without a name; 404 where the engine has another model
 */
export function readModel(engine: Engine, body: JsonObject): string {
  const name = stringField(body, 'model');
  if (name === null) throw new RequestError(400, "'model' is required", { param: 'model' });
  const names = namesOf(engine);
  if (names.includes(name)) return name;
  throw new RequestError(
    404,
    `The model '${name}' is not here. This engine serves ${names.join(' and ')}.`,
    {
      code: 'model_not_found',
      param: 'model',
    },
  );
}

function namesOf({ spec }: Engine): string[] {
  return [...new Set([spec.instanceIdentifier, spec.modelKey])];
}
