import * as z from 'zod/mini';
import { hours, matching, optional, percentOrZero, text } from './field-types.js';
import { FLEET_DEFAULTS } from './switching-defaults.js';

// The section `fleet`.

const LABEL_PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const LABEL_EXPECTED =
  'the name of a label: lower-case letters, digits, dots, dashes and underscores';

/** What other hosts may take. */
export const guests = z.strictObject({
  memory_percent: optional(
    percentOrZero(),
    "The share of each pool's limit that models may take which other hosts have asked for. 0: other hosts use " +
      'only models that are loaded already.',
    FLEET_DEFAULTS.memory_percent,
  ),
  hours: optional(
    hours(),
    'When other hosts may load models here, such as 22:00-07:00, by the clock of this machine. Default: always.',
  ),
});

/** What the other machines of a fleet may use here, and which of them may answer requests of this machine. */
export const fleet = z.strictObject({
  labels: optional(
    z.record(matching(LABEL_PATTERN, LABEL_EXPECTED), text()),
    'Labels that the other hosts see, such as { site: attic }. Default: no labels.',
  ),
  chains: optional(
    z.array(text()),
    'Names of the chains whose requests other hosts may answer. Requests for a model by its name may leave ' +
      'where no list is given. [] keeps every request here. Default: all chains.',
  ),
  require: optional(
    z.record(matching(LABEL_PATTERN, LABEL_EXPECTED), text()),
    'Labels that a host must have to answer requests of this machine. Default: no condition.',
  ),
  guests: optional(guests, 'What other hosts may take of this machine.'),
});
