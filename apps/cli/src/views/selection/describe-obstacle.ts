import type { SelectionObstacle } from '@mai/host';

/** The next step where no model can be loaded. */
export function describeObstacle(obstacle: SelectionObstacle): string {
  switch (obstacle.kind) {
    case 'nothing-downloaded':
      return `No model is downloaded. Get one with LM Studio, for example: lms get ${obstacle.modelKey ?? 'qwen/qwen3-4b'}`;
    case 'chain-not-downloaded':
      return obstacle.modelKey === null
        ? 'The chain has no model that is downloaded. Name another with --chain, or see what is downloaded: mai models'
        : `No model of the chain is downloaded. Get one with LM Studio, for example: lms get ${obstacle.modelKey}`;
    case 'not-capable': {
      const { capabilities } = obstacle;
      return `No downloaded model of this chain can do ${capabilities.join(' and ')}. Name another chain with --chain, or see what can: mai models --all --require ${capabilities.join(',')}`;
    }
    case 'nothing-fits':
      return 'Close other programs, ask for less (--require, --min-context, --tier), or download a smaller model.';
  }
}
