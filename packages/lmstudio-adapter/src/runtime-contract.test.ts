import { startSimulator } from '@mai/lmstudio-simulator';

import { type ContractWorld, lmStudioContract, runtimeContract } from '../test/runtime-contract.js';
import { connect } from './index.js';

const open = async (): Promise<ContractWorld> => {
  const simulator = await startSimulator({ speed: 50 });
  return {
    connect: () => connect({ baseUrl: simulator.baseUrl }),
    llmKey: 'qwen/qwen3-4b',
    embeddingKey: 'text-embedding-nomic-embed-text-v1.5',
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
};

runtimeContract('the simulator through the real SDK', open);
lmStudioContract('the settings of the simulator through the real SDK', open);
