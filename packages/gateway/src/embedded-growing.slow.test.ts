import {
  LARGE,
  openEmbeddedWorld,
  SMALL,
  type EmbeddedWorld,
} from '../test/worlds/open-embedded-world.js';
import { watchLoads } from '../test/worlds/watch-loads.js';

jest.setTimeout(300_000);

const MIB = 1024 ** 2;
const CONFIGURED_TOKENS = 2048;
/** Adds about 500 tokens to a conversation. */
const MORE = 'ab cd ef '.repeat(80);

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** A model of one layer, because a test machine may read only some hundred tokens a second. */
const open = (parallel = 1, kvCacheType: 'f16' | 'f32' = 'f16') =>
  openEmbeddedWorld([LARGE, SMALL], {
    layers: 1,
    width: 256,
    contextTokens: CONFIGURED_TOKENS,
    load: { parallel, kv_cache: kvCacheType },
  });

/** Sends a conversation again and again, each time with a further message, until its prompt has this many tokens. */
async function converse(
  { url }: EmbeddedWorld,
  name: string,
  untilTokens: number,
  onAnswer: (decisionId: string) => Promise<void> = () => Promise.resolve(),
  model = 'auto',
): Promise<void> {
  const messages: Message[] = [{ role: 'user', content: `I am ${name}.` }];
  for (;;) {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, max_tokens: 2, temperature: 0, messages }),
    });
    expect([answer.status, answer.headers.get('x-mai-model')]).toEqual([200, LARGE]);
    const { choices, usage } = (await answer.json()) as {
      readonly choices: readonly { readonly message: { readonly content: string | null } }[];
      readonly usage: { readonly prompt_tokens: number };
    };
    await onAnswer(answer.headers.get('x-mai-decision') ?? '');
    if (usage.prompt_tokens >= untilTokens) return;
    messages.push(
      { role: 'assistant', content: choices[0]?.message.content ?? '' },
      { role: 'user', content: MORE },
    );
  }
}

async function longestContext({ host }: EmbeddedWorld): Promise<number> {
  const { residents } = await host.status();
  return Math.max(...residents.map((one) => one.contextLengthTokens ?? 0));
}

/** Counts the loads during a task. */
async function loadsDuring(world: EmbeddedWorld, task: () => Promise<unknown>): Promise<number> {
  const watch = watchLoads(world);
  await task();
  await watch.stop();
  expect(watch.events).not.toContain('load-failed');
  return watch.events.filter((event) => event === 'loaded').length;
}

test('a conversation makes a load where its context has doubled, and mai explain says why the load is larger than needed', async () => {
  await using world = await open();
  /** The decision with which the longest context was first seen, by that context. */
  const decisions = new Map<number, string>();
  const loads = await loadsDuring(world, () =>
    converse(world, 'Ann', 7000, async (id) => {
      const tokens = await longestContext(world);
      if (!decisions.has(tokens)) decisions.set(tokens, id);
    }),
  );
  // Without the longer contexts there would be one at each quarter of a power of two: eight more.
  // The first load may have begun before they were counted.
  expect(loads).toBeLessThanOrEqual(3);
  const [first, ...longer] = [...decisions.keys()];
  expect(first).toBe(CONFIGURED_TOKENS);
  expect(longer).toHaveLength(2);
  expect(longer[0]).toBeGreaterThan(2 * CONFIGURED_TOKENS);
  expect(longer[1]).toBeGreaterThan(2 * (longer[0] ?? 0));
  for (const tokens of longer) {
    const told = await fetch(`${world.url}/api/mai/decisions/${decisions.get(tokens)}`);
    expect(await told.text()).toContain(
      `the context had ${tokens.toLocaleString('en')} tokens, although the request needed ${(tokens / 2).toLocaleString('en')}`,
    );
  }
});

test('two conversations at the same time share the loads', async () => {
  await using world = await open();
  const loads = await loadsDuring(world, () =>
    Promise.all([converse(world, 'Ann', 4000), converse(world, 'Bob', 4000)]),
  );
  // Each of them alone would need five contexts up to 5,120 tokens.
  expect(loads).toBeLessThanOrEqual(3);
  expect(await longestContext(world)).toBeGreaterThan(4000);
});

test('where twice the context does not fit, a conversation gets what it needs, of the same model', async () => {
  // With room for 32 prompts, the context takes 16 KiB a token.
  await using world = await open(32, 'f32');
  const { report } = await world.host.estimate({
    model: LARGE,
    settings: { contextLengthTokens: 4096 },
  });
  world.machine.othersBytes = 0.8 * 2048 * MIB - (report.interval?.highBytes ?? report.totalBytes);
  const contexts = new Set<number>();
  const note = async () => void contexts.add(await longestContext(world));
  // By its key. For `auto`, the small model would serve until the large one is idle and can be unloaded.
  await converse(world, 'Ann', 2200, note, LARGE);
  const [first, ...longer] = [...contexts];
  expect(first).toBe(CONFIGURED_TOKENS);
  expect(longer.length).toBeGreaterThan(0);
  // Twice 2,560 tokens, the least that is more than configured, would be above the limit.
  expect(Math.max(...longer)).toBeLessThan(5120);
});
