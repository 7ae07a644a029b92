import { isAtLeast } from '../../profile/http-api.js';
import { invalidRequest } from '../generation/request-failure.js';

/**
 * Checks the types of a request's tools. Coding agents send more types than LM Studio accepts: Codex sends the tools of an
 * MCP server as a `namespace`.
 *
 * Captured: 0.3.39 and 0.4.0 refuse `web_search` and name `function` and `mcp` (lmstudio-bug-tracker #1383). 0.4.11 and 0.4.12
 * refuse `namespace` with another message (#1810, #1812, lms #537); there it is the first refused tool of requests that have
 * `web_search` before it. Assumed: the versions between behave like 0.4.0, later ones like 0.4.12, and other types are
 * refused like `namespace`.
 *
 * @throws RequestFailure for the first tool that is refused
 */
export function checkToolTypes(tools: readonly { readonly type: string }[], version: string): void {
  const isLater = isAtLeast(version, '0.4.11');
  const known = isLater ? LATER_TYPES : FIRST_TYPES;
  const index = tools.findIndex(({ type }) => !known.test(type));
  if (index === -1) return;
  const param = `tools.${index}.type`;
  throw isLater
    ? invalidRequest('Invalid', param, 'invalid_string')
    : invalidRequest(
        "Invalid discriminator value. Expected 'function' | 'mcp'",
        param,
        'invalid_union_discriminator',
      );
}

const FIRST_TYPES = /^(function|mcp)$/;
const LATER_TYPES = /^(function|mcp|web_search.*)$/;
