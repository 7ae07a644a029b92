import { z } from 'zod';
import { component } from './shared/component.js';
import { epochMs } from './shared/memory.js';
import { textOf } from './shared/text.js';

export const scope = z.enum(['inference', 'control', 'read']);

export const signInRequest = component(
  'SignInRequest',
  z.strictObject({ key: textOf(200).min(1).describe('An API key.') }),
);

export const session = component(
  'Session',
  z
    .strictObject({
      required: z.boolean().describe('Whether requests need a key or a session.'),
      signedIn: z.boolean(),
      scopes: z.array(scope).describe('The actions that the caller is allowed.'),
      csrfToken: z
        .string()
        .nullable()
        .describe('Goes into `x-mai-csrf` of changing requests; null without a session.'),
      expiresAtMs: epochMs.nullable(),
    })
    .describe('Who the caller is.'),
);
