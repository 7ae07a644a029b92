import * as z from 'zod/mini';
import type { Tool } from '../../predicting/answer.js';
import { imageNotBase64, invalidRequest } from './request-failure.js';

/** The parts of a message that a model reads. */
export interface ReadContent {
  readonly text: string;
  readonly imageCount: number;
}

/** The fields for the choice of the model, which all protocols share. */
export const modelFields = {
  model: z.optional(z.nullable(z.string())),
  ttl: z.optional(z.nullable(z.int().check(z.positive()))),
  stream: z.optional(z.nullable(z.boolean())),
};

/**
 * Checks a body.
 *
 * @throws RequestFailure for the first problem. Captured (lmstudio-bug-tracker #1576): a field that is not there has the
 *   message `Required`. The other messages are assumed.
 */
export function checkBody<T extends z.ZodMiniType>(schema: T, body: unknown): z.output<T> {
  const parsed = z.safeParse(schema, body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue?.path.map(String).join('.') ?? '';
  const isMissing = issue?.path.reduce<unknown>(memberOf, body) === undefined;
  throw isMissing && param !== ''
    ? invalidRequest('Required', param, 'missing_required_parameter')
    : invalidRequest(`Invalid type for '${param === '' ? 'body' : param}'.`, param, 'invalid_type');
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Adds up the parts of a message or of a conversation. */
export function joinContent(parts: readonly ReadContent[], separator = ''): ReadContent {
  return {
    text: parts.map(({ text }) => text).join(separator),
    imageCount: parts.reduce((sum, { imageCount }) => sum + imageCount, 0),
  };
}

export function textContent(text: string): ReadContent {
  return { text, imageCount: 0 };
}

/**
 * Captured (lmstudio-bug-tracker #1027 and #1752, RooCodeInc/Roo-Code #8827): LM Studio refuses WebP as it refuses links.
 *
 * @throws RequestFailure where the request has only the address of an image, or an image in WebP
 */
export function imageContent(url: string): ReadContent {
  if (!url.startsWith('data:') || url.startsWith('data:image/webp')) throw imageNotBase64();
  return { text: '', imageCount: 1 };
}

/** The definitions of tools, as a model reads them. LM Studio counts their tokens since 0.3.17. */
export function toolsText(tools: readonly Tool[]): string {
  return tools.length === 0 ? '' : `\n${JSON.stringify(tools)}`;
}

/** Stop strings are one string or several. */
export const stopSchema = z.optional(z.nullable(z.union([z.string(), z.array(z.string())])));

export function readStop(stop: string | readonly string[] | null | undefined): readonly string[] {
  if (stop === null || stop === undefined) return [];
  return typeof stop === 'string' ? [stop] : stop;
}

/** No limit: the documented value -1, or a missing field. */
export function readLimit(...limits: readonly (number | null | undefined)[]): number | null {
  const limit = limits.find((value) => value !== null && value !== undefined);
  return limit === undefined || limit <= 0 ? null : limit;
}
