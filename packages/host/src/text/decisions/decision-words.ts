import { decisionIdOf } from '@mai/autopilot';
import { describeObstacle } from './describe-obstacle.js';
import { describeTradeOffs } from './describe-trade-offs.js';
import { explainEpisode } from './explain-episode.js';
import { explainRejection } from './explain-rejection.js';
import { poolLabel } from '../pool-words.js';
import { formatBytes, formatCount } from '../../words.js';

/** The words for decisions that a gateway's control API needs. The port is `ControlWords` of `@mai/gateway`. */
export const DECISION_WORDS = {
  decisionIdOf,
  describeObstacle,
  describeTradeOffs,
  explainEpisode,
  explainRejection,
  formatBytes,
  formatCount,
  poolLabel,
} as const;
