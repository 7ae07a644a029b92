/** The state of a workstation with twelve models, two of them loaded: about 6 kB. Its label says when it was changed. */
export function stateOf(number, revision) {
  return {
    address: `https://10.0.${number >> 8}.${number & 255}:8899`,
    versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
    labels: {
      site: 'house',
      changedAt: String(process.hrtime.bigint()),
      revision: String(revision),
    },
    pools: [
      { pool: 'ram', totalBytes: 64e9, limitBytes: 48e9 },
      { pool: 'gpu0', totalBytes: 24e9, limitBytes: 22e9 },
    ],
    models: Array.from({ length: 12 }, (_, index) => modelOf(index)),
    chains: {
      default: Array.from({ length: 6 }, (_, index) => `publisher/model-${index}-instruct`),
    },
    guests: { memoryRatio: 0.5 },
  };
}

function modelOf(index) {
  const range = (expected) => ({ expected, low: expected * 0.8, high: expected * 1.2 });
  return {
    modelKey: `publisher/model-${index}-instruct`,
    displayName: `Model ${index} Instruct`,
    kind: 'llm',
    digest: `sha256:${String(index).repeat(64).slice(0, 64)}`,
    tier: ['small', 'medium', 'large'][index % 3],
    capabilities: ['chat'],
    contextLengthTokens: 8192,
    maxContextLengthTokens: 131_072,
    sizeBytes: 5_000_000_000 + index,
    fit: ['now', 'after-eviction', 'no'][index % 3],
    speed: {
      decodeTokensPerSecond: range(40 + index),
      promptTokensPerSecond: range(900 + index),
      loadMs: range(4000 + index),
      measured: true,
    },
    quality: 0.6,
    residents:
      index < 2
        ? [
            {
              instanceIdentifier: `publisher/model-${index}-instruct`,
              contextLengthTokens: 8192,
              footprintBytes: 6_000_000_000,
              foreign: false,
              parallel: 4,
            },
          ]
        : [],
  };
}
