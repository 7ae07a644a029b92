import { invalidField, notSupported } from '../../engine/request-error.js';
import { readBody, sendJson, type Exchange } from '../exchange.js';
import { numberField, stringField } from '../fields.js';
import type { JsonObject } from '../json.js';
import { readModel } from './models.js';

/** Answers `POST /v1/embeddings`. Inputs are computed one after the other. */
export async function embed(exchange: Exchange): Promise<void> {
  const { engine, response, signal } = exchange;
  const body = await readBody(exchange);
  const model = readModel(engine, body);
  if (numberField(body, 'dimensions') !== null) {
    throw notSupported(
      'dimensions: the engine gives embeddings in their full length',
      'dimensions',
    );
  }
  const format = stringField(body, 'encoding_format') ?? 'float';
  if (format !== 'float' && format !== 'base64') {
    throw invalidField('encoding_format', "must be 'float' or 'base64'");
  }
  const data: JsonObject[] = [];
  let tokens = 0;
  for (const [index, text] of readInputs(body['input']).entries()) {
    const embedded = await engine.embed(text, signal);
    tokens += embedded.tokens;
    const embedding = format === 'float' ? embedded.embedding : base64Of(embedded.embedding);
    data.push({ object: 'embedding', index, embedding });
  }
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  sendJson(response, 200, { object: 'list', data, model, usage });
}

function readInputs(input: unknown): readonly string[] {
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (inputs.length === 0) throw invalidField('input', 'must hold at least one text');
  return inputs.map((one) => {
    if (typeof one === 'number' || Array.isArray(one)) {
      throw notSupported(
        'input: the binding of llama.cpp takes text and no token numbers',
        'input',
      );
    }
    if (typeof one !== 'string' || one === '')
      throw invalidField('input', 'must hold texts that are not empty');
    return one;
  });
}

/** 32-bit numbers in little-endian order, as OpenAI's clients read them. */
function base64Of(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, value] of numbers.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
