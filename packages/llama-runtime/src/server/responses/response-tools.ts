import { invalidField, notSupported } from '../../engine/request-error.js';
import { objectField, objectsField, stringField } from '../fields.js';
import { isJsonObject, type JsonObject } from '../json.js';

/** How a call of the model is sent to the client. */
export interface CalledTool {
  /** `custom`: the tool takes free text instead of arguments. */
  readonly kind: 'function' | 'custom';
  readonly name: string;
  /** The group of the tool; null: it has none. */
  readonly namespace: string | null;
}

/** The tools of a request: as the model sees them, and how its calls are sent to the client. */
export interface ResponseTools {
  /** The tools in the form of `/v1/chat/completions`. */
  readonly forModel: readonly JsonObject[];
  /** The tools of the request that the model can call. The response repeats them, so that a client sees what is missing. */
  readonly offered: readonly JsonObject[];
  /** The tool with a name that the model knows. */
  called(nameForModel: string): CalledTool;
}

/** The one argument of a tool that takes free text. */
const INPUT = 'input';

/**
 * Reads the tools of a request. Chat templates know functions only:
 *
 * - A tool of a `namespace` gets a name with the namespace before it. Codex sends each MCP server as a namespace, and takes a
 *   call only with the two names apart (openai/codex #23186).
 * - A `custom` tool becomes a function with one text.
 * - Other types, such as `web_search`, run on the server. The engine has none, so they are left out: Codex always sends some.
 *
 * @throws RequestError for a tool without a name
 */
export function readResponseTools(body: JsonObject): ResponseTools {
  const forModel: JsonObject[] = [];
  const offered: JsonObject[] = [];
  const calls = new Map<string, CalledTool>();
  const add = (tool: JsonObject, namespace: string | null, path: string): boolean => {
    const { type } = tool;
    if (type !== 'function' && type !== 'custom') return false;
    const name = stringField(tool, 'name') ?? '';
    if (name === '') throw invalidField(`${path}.name`, 'is required');
    const nameForModel = nameInNamespace(name, namespace);
    calls.set(nameForModel, { kind: type, name, namespace });
    forModel.push({
      type: 'function',
      function: {
        name: nameForModel,
        ...(type === 'function'
          ? { description: tool['description'], parameters: tool['parameters'] }
          : { description: customDescription(tool), parameters: CUSTOM_PARAMETERS }),
      },
    });
    return true;
  };
  for (const [index, tool] of (objectsField(body, 'tools') ?? []).entries()) {
    const path = `tools[${index}]`;
    if (tool['type'] === 'namespace') {
      const namespace = stringField(tool, 'name');
      const tools = objectsField(tool, 'tools') ?? [];
      const added = tools.filter((one, at) => add(one, namespace, `${path}.tools[${at}]`));
      if (added.length > 0) offered.push({ ...tool, tools: added });
    } else if (add(tool, null, path)) {
      offered.push(tool);
    }
  }
  return {
    forModel,
    offered,
    called: (name) => calls.get(name) ?? { kind: 'function', name, namespace: null },
  };
}

/** The name of a tool as the model sees it. */
export function nameInNamespace(name: string, namespace: string | null): string {
  if (namespace === null || namespace === '') return name;
  return namespace.endsWith('__') ? `${namespace}${name}` : `${namespace}__${name}`;
}

/**
 * The fields of `/v1/chat/completions` for the tools.
 *
 * @throws RequestError where `tool_choice` asks for a tool that the engine does not have
 */
export function toolFieldsOf(body: JsonObject, { forModel }: ResponseTools): JsonObject {
  const choice = body['tool_choice'];
  if (isJsonObject(choice) && choice['type'] === 'allowed_tools') {
    return allowedToolFields(choice, forModel);
  }
  const isNamed = isJsonObject(choice) && isOfClient(choice);
  if (isJsonObject(choice) && !isNamed) {
    throw notSupported(
      `tool_choice: the engine has no tools of its own such as '${String(choice['type'])}'`,
      'tool_choice',
    );
  }
  if (forModel.length === 0) {
    if (choice !== 'required' && !isNamed) return {};
    throw invalidField('tool_choice', "asks for a call, and 'tools' has no tool of the client");
  }
  if (!isNamed) return { tools: forModel, tool_choice: choice };
  return { tools: forModel, tool_choice: functionOf(choice) };
}

/** Of the allowed tools, those that the server would run are left out, as in `tools`. */
function allowedToolFields(choice: JsonObject, forModel: readonly JsonObject[]): JsonObject {
  const { mode } = choice;
  const tools = (objectsField(choice, 'tools') ?? []).filter(isOfClient).map(functionOf);
  if (tools.length > 0) {
    return {
      tools: forModel,
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode, tools } },
    };
  }
  if (mode === 'required')
    throw invalidField('tool_choice', 'asks for a call, and allows no tool of the client');
  return {};
}

function isOfClient({ type }: JsonObject): boolean {
  return type === 'function' || type === 'custom';
}

/** A tool in the form of `/v1/chat/completions`, by its name. */
function functionOf(tool: JsonObject): JsonObject {
  const name = nameInNamespace(stringField(tool, 'name') ?? '', stringField(tool, 'namespace'));
  return { type: 'function', function: { name } };
}

const CUSTOM_PARAMETERS: JsonObject = {
  type: 'object',
  properties: { [INPUT]: { type: 'string' } },
  required: [INPUT],
  additionalProperties: false,
};

/** The description of a tool that takes free text. The grammar of the text tells the model its form. */
function customDescription(tool: JsonObject): string {
  const description = stringField(tool, 'description') ?? '';
  const grammar = stringField(objectField(tool, 'format') ?? {}, 'definition');
  return grammar === null ? description : `${description}\n\nForm of \`${INPUT}\`:\n${grammar}`;
}

/** The arguments with which the model calls a tool that takes free text. */
export function argumentsOfText(text: string): string {
  return JSON.stringify({ [INPUT]: text });
}

/** The free text in the model's arguments. Arguments that the token limit has cut off are not JSON, and are returned as they are. */
export function textOfArguments(argumentsText: string): string {
  try {
    const value: unknown = JSON.parse(argumentsText);
    const text = isJsonObject(value) ? value[INPUT] : null;
    return typeof text === 'string' ? text : argumentsText;
  } catch {
    // Not whole.
    return argumentsText;
  }
}
