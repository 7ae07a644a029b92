import type { ServerResponse } from 'node:http';
import { listForCodex } from '../../models/list-for-codex.js';
import { listForLmStudio } from '../../models/list-for-lm-studio.js';
import {
  describeMeaning,
  entryOf,
  listModels,
  type ListedModel,
  type ModelList,
} from '../../models/list-models.js';
import { findModel, leftOutNote } from '../../models/model-name.js';
import {
  meaningsOf,
  offeredNames,
  type OfferedName,
  unlistedName,
} from '../../models/name-meanings.js';
import { notListed } from '../../models/not-listed.js';
import type { ResolveModel } from '../../models/resolve-model.js';
import type { LivePort } from '../../ports/live-port.js';
import type { ServingCatalog } from '../../ports/serving-port.js';
import type { Failure, Protocol } from '../../protocols/protocol.js';
import { SchedulingFailure } from '../../queue/scheduler.js';
import { readCatalog } from './read-catalog.js';
import type { RequestTarget } from '../request/request-target.js';
import { sendFailure, sendJson } from '../responders.js';
import { createFailure } from '../../protocols/create-failure.js';

const OPENAI = '/v1/models';
const LM_STUDIO = '/api/v0/models';

/** Whether the path is one of a list of models, or of an entry of a list. */
export function isModelList(path: string): boolean {
  return [OPENAI, LM_STUDIO].some((list) => path === list || path.startsWith(`${list}/`));
}

/** Answers the requests for lists of models. */
export interface ModelLists {
  /** Answers a GET of a list, or of an entry of a list. A failure has the form of the client's protocol. */
  answer(
    response: ServerResponse,
    target: RequestTarget,
    protocol: Pick<Protocol, 'failure'>,
  ): Promise<void>;
}

/** Creates the lists. What `auto` and each alias mean is decided once for each change of the machine. */
export function createModelLists(port: LivePort, resolve: ResolveModel): ModelLists {
  const lists = new WeakMap<ServingCatalog, Promise<ModelList>>();
  const meanings = (names: readonly OfferedName[], catalog: ServingCatalog) =>
    meaningsOf(names, catalog, resolve, (wanted, options) => port.plan(wanted, options));
  const read = async (catalog: ServingCatalog): Promise<ModelList> => {
    let list = lists.get(catalog);
    if (list === undefined) {
      list = meanings(offeredNames(catalog), catalog).then((offered) =>
        listModels(catalog, offered),
      );
      lists.set(catalog, list);
      list.catch(() => lists.delete(catalog));
    }
    return list;
  };
  const unlisted = async (id: string, catalog: ServingCatalog): Promise<ListedModel | null> => {
    const name = unlistedName(id, catalog);
    const [meaning] = name === null ? [] : await meanings([name], catalog);
    return meaning === undefined ? null : describeMeaning(meaning, catalog);
  };
  return {
    answer: async (response, { path, query }, protocol) => {
      let catalog: ServingCatalog;
      let list: ModelList;
      try {
        catalog = await readCatalog(port);
        list = await read(catalog);
      } catch (error) {
        if (!(error instanceof SchedulingFailure)) throw error;
        sendFailure(response, protocol, error.failure);
        return;
      }
      const root = path.startsWith(LM_STUDIO) ? LM_STUDIO : OPENAI;
      if (path !== root) {
        const id = decoded(path.slice(root.length + 1));
        const found = entryOf(id, list, catalog) ?? (await unlisted(id, catalog));
        if (found !== null) sendJson(response, 200, found);
        else sendFailure(response, protocol, unknownModel(id, catalog));
        return;
      }
      if (root === LM_STUDIO) sendJson(response, 200, listForLmStudio(null, list));
      // Codex reads `models`, and names its version in the query.
      else if (new URLSearchParams(query).has('client_version')) {
        sendJson(response, 200, { ...list, models: listForCodex(list) });
      } else sendJson(response, 200, list);
    },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A broken escape is part of no model's name.
    return text;
  }
}

function unknownModel(id: string, catalog: ServingCatalog): Failure {
  const named = findModel(id, catalog);
  if (named.kind === 'unknown' && named.mayExist) return notListed(named.message);
  return createFailure(
    'model_not_found',
    404,
    leftOutNote(id, catalog) ??
      `There is no model ${JSON.stringify(id)}. GET /v1/models lists the models.`,
  );
}
