import { z } from 'zod';
import { component } from './component.js';

export const errorAnswer = component(
  'Error',
  z.strictObject({
    error: z.strictObject({
      code: z.string().describe('A stable code, such as `INVALID_REQUEST` or `MODEL_NOT_FOUND`.'),
      message: z.string().describe('The failure with its value, and the next step.'),
    }),
  }),
);
