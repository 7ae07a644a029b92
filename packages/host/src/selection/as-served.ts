import type { Selection, SelectionInput } from '@mai/selector';

/**
 * The selection with the context length that the chosen model has. A resident may serve a load option with a longer
 * context than the option asks for. The load option of the result then has the context and the footprint of this
 * resident.
 */
export function asServed<Made extends Pick<Selection, 'chosen'>>(
  selection: Made,
  { residents }: Pick<SelectionInput, 'residents'>,
): Made {
  const { chosen } = selection;
  const serving = residents.find(
    ({ instanceIdentifier }) => instanceIdentifier === chosen?.instanceIdentifier,
  );
  const contextLengthTokens = serving?.loadConfig.contextLengthTokens ?? null;
  if (chosen === null || contextLengthTokens === null) return selection;
  const { loadOption, footprint } = chosen;
  const { loadConfig } = loadOption;
  if (contextLengthTokens === loadConfig.contextLengthTokens) return selection;
  return {
    ...selection,
    chosen: {
      ...chosen,
      loadOption: {
        ...loadOption,
        footprint,
        loadConfig: { ...loadConfig, contextLengthTokens },
      },
    },
  };
}
