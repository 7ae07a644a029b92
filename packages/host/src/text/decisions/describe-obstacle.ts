import type { SelectionObstacle } from '../../selection/obstacle.js';
import { formatBytes } from '../../words.js';

/** How to get a model for the embedded engine. */
const GET_GGUF =
  'Download one with LM Studio or Ollama, or name the folder of a GGUF file with --models.';

/** The next step where no model can be loaded. */
export function describeObstacle(obstacle: SelectionObstacle): string {
  switch (obstacle.kind) {
    case 'not-usable':
      return obstacle.message;
    case 'nothing-downloaded':
      return obstacle.runtime === 'embedded'
        ? `No GGUF model was found on this machine. ${GET_GGUF}`
        : `No model is downloaded. Get one with LM Studio, for example: lms get ${obstacle.modelKey ?? 'qwen/qwen3-4b'}`;
    case 'chain-not-downloaded':
      if (obstacle.runtime === 'embedded')
        return `No GGUF model of the chain was found on this machine. Name another chain with --chain, or get a model. ${GET_GGUF}`;
      return obstacle.modelKey === null
        ? 'No model of the chain is downloaded. Name another chain with --chain. `mai models` lists the downloaded models.'
        : `No model of the chain is downloaded. Get one with LM Studio, for example: lms get ${obstacle.modelKey}`;
    case 'not-capable': {
      const { capabilities } = obstacle;
      return `No downloaded model of this chain can do ${capabilities.join(' and ')}. Name another chain with --chain. This lists models that can: mai models --all --require ${capabilities.join(',')}`;
    }
    case 'headroom-too-large':
      return `min_headroom is ${formatBytes(obstacle.minHeadroomBytes)}, and this machine has only ${formatBytes(obstacle.totalBytes)} of RAM, so no model ever fits. Set a lower min_headroom under switching in the configuration; \`mai config init\` writes one.`;
    case 'nothing-fits': {
      const { yieldedBytes } = obstacle;
      const end =
        yieldedBytes > 0
          ? `End the yields, which keep ${formatBytes(yieldedBytes)} free (\`mai yield --release\`), close`
          : 'Close';
      return `${end} other programs, ask for less (--require, --min-context, --tier), or download a smaller model.`;
    }
  }
}
