import * as z from 'zod/mini';
import { documented, optional, ratio, size } from './field-types.js';

/** A cheaper way to run a model in `mai simulate`. */
export const rung = z.strictObject({
  footprint: documented(size(), 'All memory that the model takes when it runs this way.'),
  vram: optional(size(), 'The part of footprint that is VRAM. Default: the vram of the model.'),
  quality: documented(ratio(), 'How good the answers are when the model runs this way, 0 to 1.'),
});

/** Cost and quality of a model in `mai simulate`. */
export const simulate = z.strictObject({
  footprint: optional(
    size(),
    'All memory that the model takes, such as 7.2GiB. Default: the estimate.',
  ),
  vram: optional(
    size(),
    'The part of footprint that is VRAM on a machine with a GPU. Default: the estimate.',
  ),
  load_seconds: optional(
    z.number().check(z.gte(0), z.lte(86_400)),
    'Seconds that a load takes. Default: the time to read footprint at 1 GB a second.',
  ),
  quality: optional(
    ratio(),
    'How good the answers are, 0 to 1. Default: 0.4, 0.65 or 0.9 by category.',
  ),
  rungs: optional(
    z.array(rung),
    'Cheaper ways to run the same model (shorter context, quantized KV cache), the best first: ' +
      '{ footprint, vram, quality }. Default: none.',
  ),
});
