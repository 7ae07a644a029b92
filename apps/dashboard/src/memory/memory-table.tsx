import type { Pin, Resident, Status } from '../api/api.generated.js';
import { usePage } from '../shell/page-context.js';
import { formatBytes, formatMoment, formatTokens } from '../words/format.js';
import type { ColourSlots } from '../state/colour-slots.js';
import type { Stack } from './stack-series.js';

interface PoolStack {
  readonly pool: Status['pools'][number];
  readonly stack: Stack;
}

/** The figures of the charts: now, or at the time under the pointer. Also the legend of the charts. */
export function MemoryTable(props: {
  readonly stacks: readonly PoolStack[];
  readonly slots: ColourSlots;
  readonly residents: readonly Resident[];
  readonly pins: readonly Pin[];
  readonly modelKeys: Readonly<Record<string, string>>;
  readonly cursor: number | null;
}) {
  const { stacks, slots, residents, pins, modelKeys, cursor } = props;
  const { mayChange } = usePage();
  const [first] = stacks;
  const atSeconds = cursor === null ? undefined : first?.stack.times[cursor];
  const figure = ({ stack }: PoolStack, key: string): number | null => {
    const index = cursor ?? stack.times.length - 1;
    return stack.layers.find((layer) => layer.key === key)?.bytes[index] ?? null;
  };
  /** Where the use of a pool is not measured: what Mai counts for a resident now. */
  const counted = ({ pool, stack }: PoolStack, resident: Resident | undefined): number | null =>
    cursor !== null || stack.times.length > 0
      ? null
      : (resident?.pools.find((one) => one.pool === pool.pool)?.bytes ?? null);
  const yielding = stacks.filter((one) => (figure(one, 'yielded') ?? 0) > 0);
  const loaded = residents.map((one) => one.instanceIdentifier);
  const past = stacks.flatMap(({ stack }) => stack.layers.map(({ key }) => key));
  const keys = [...new Set([...loaded, ...past])].filter(
    (key) =>
      key !== 'others' &&
      key !== 'yielded' &&
      (loaded.includes(key) || stacks.some((one) => (figure(one, key) ?? 0) > 0)),
  );
  const use = ({ stack }: PoolStack) =>
    stack.layers.at(-1)?.tops[cursor ?? stack.times.length - 1] ?? null;
  /** Memory that is free now but held for growth, so a load may not take it. Past samples do not have this figure. */
  const heldOf = ({ growthBytes }: Status['pools'][number]): number | null =>
    cursor === null && growthBytes > 0 ? growthBytes : null;
  const held = stacks.filter(({ pool }) => pool.growthBytes > 0);
  return (
    <div class="scrolls">
      <table class="memory-table">
        <caption class="spoken">Memory by pool, and the loaded models</caption>
        <thead>
          <tr>
            <th scope="col">
              {atSeconds === undefined ? 'Now' : `At ${formatMoment(atSeconds * 1000, Date.now())}`}
            </th>
            {stacks.map(({ pool }) => (
              <th key={pool.pool} scope="col" class="number">
                {pool.label}
              </th>
            ))}
            {mayChange && (
              <th scope="col">
                <span class="spoken">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          <Row swatch="others" stacks={stacks} bytesOf={(one) => figure(one, 'others')}>
            Other programs
          </Row>
          {yielding.length > 0 && (
            <Row swatch="yielded" stacks={stacks} bytesOf={(one) => figure(one, 'yielded')}>
              Kept free by yields
            </Row>
          )}
          {keys.map((key) => {
            const resident = residents.find((one) => one.instanceIdentifier === key);
            return (
              <Row
                key={key}
                swatch={`series-${slots[key] ?? 0}`}
                stacks={stacks}
                bytesOf={(one) => figure(one, key) ?? counted(one, resident)}
                actions={resident && <ResidentActions resident={resident} pins={pins} />}
              >
                <ResidentName
                  identifier={key}
                  modelKey={resident?.modelKey ?? modelKeys[key] ?? key}
                  resident={resident}
                />
              </Row>
            );
          })}
          <Row
            swatch="free"
            stacks={stacks}
            bytesOf={(one) => {
              const used = use(one);
              return used === null ? null : one.stack.totalBytes - used;
            }}
          >
            Free
          </Row>
          {held.length > 0 && (
            <Row swatch="" stacks={stacks} bytesOf={({ pool }) => heldOf(pool)}>
              Held for growth
            </Row>
          )}
        </tbody>
        <tfoot>
          <Row swatch="limit-line" stacks={stacks} bytesOf={({ pool }) => pool.limitBytes}>
            Limit for a load
          </Row>
          <Row swatch="hard-line" stacks={stacks} bytesOf={({ pool }) => pool.hardLimitBytes}>
            Hard limit
          </Row>
          <Row swatch="" stacks={stacks} bytesOf={({ pool }) => pool.totalBytes}>
            Total
          </Row>
        </tfoot>
      </table>
    </div>
  );
}

function Row(props: {
  readonly swatch: string;
  readonly stacks: readonly PoolStack[];
  readonly bytesOf: (stack: PoolStack) => number | null;
  readonly children: preact.ComponentChildren;
  readonly actions?: preact.ComponentChildren;
}) {
  const { mayChange } = usePage();
  return (
    <tr>
      <th scope="row">
        <span class="labelled">
          <span class={`swatch ${props.swatch}`} aria-hidden="true" />
          <span>{props.children}</span>
        </span>
      </th>
      {props.stacks.map((one) => (
        <td key={one.pool.pool} class="number">
          {formatBytes(props.bytesOf(one))}
        </td>
      ))}
      {mayChange && <td class="actions">{props.actions}</td>}
    </tr>
  );
}

function ResidentName(props: {
  readonly identifier: string;
  readonly modelKey: string;
  readonly resident: Resident | undefined;
}) {
  const { resident } = props;
  const facts =
    resident === undefined
      ? ['unloaded']
      : [
          `${formatTokens(resident.contextLengthTokens)} context`,
          ...(resident.busy ? ['busy'] : []),
          ...(resident.pinned ? ['pinned'] : []),
          ...(resident.foreign ? ['not loaded by Mai'] : []),
          ...(resident.exceedsGpus ? ['shares are a guess'] : []),
        ];
  return (
    <>
      <span class="key" title={props.identifier}>
        {props.modelKey}
      </span>{' '}
      <span class="soft">{facts.join(', ')}</span>
    </>
  );
}

function ResidentActions({
  resident: { instanceIdentifier, modelKey, pinned },
  pins,
}: {
  readonly resident: Resident;
  readonly pins: readonly Pin[];
}) {
  const { ask } = usePage();
  // A pin names an instance or a model.
  const pin = pins.find(({ target }) => target === instanceIdentifier || target === modelKey);
  const target = pinned && pin !== undefined ? pin.target : instanceIdentifier;
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={`${pinned ? 'Unpin' : 'Pin'} ${modelKey}`}
        onClick={() =>
          ask(
            pinned
              ? { name: 'unpin', body: { target }, title: `Unpin ${modelKey}`, verb: 'Unpin' }
              : { name: 'pin', body: { target }, title: `Pin ${modelKey}`, verb: 'Pin' },
          )
        }
      >
        {pinned ? 'Unpin' : 'Pin'}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Unload ${modelKey}`}
        onClick={() =>
          ask({
            name: 'unload',
            body: { target: instanceIdentifier },
            title: `Unload ${modelKey}`,
            verb: 'Unload',
          })
        }
      >
        Unload
      </button>
    </>
  );
}
