import { indexModel } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { printable } from '../gguf/bytes/checked-reader.js';
import { findTemplateFault } from './chat-template.js';
import { EMBEDDED_ARCHITECTURES } from './embedded-engine.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import { findOtherKind } from './other-kinds.js';
import { findMetadataFault } from './metadata-faults.js';
import { findForeignTensor, findTensorFault } from './tensors/tensor-faults.js';
import { refuseEmbeddedTokenizer } from './vocabulary-faults.js';
import { wrongType } from './metadata-types.js';
import { findUnusableType } from './tensors/weight-types.js';
import type { ModelRefusal } from './model-refusal.js';

/**
 * Why llama.cpp v0.5.0 does not load a file as a language or embedding model; `null` where the header shows no
 * reason. Only the header is checked: `GgufHeader.complete` says whether the file is complete.
 *
 * An unknown architecture is accepted if the header describes a language model, because a newer engine may load it.
 * @param engine The embedded engine is a known build, so it refuses unknown architectures. Default `llama.cpp`.
 */
export function refuseModel(
  header: GgufHeader,
  engine: EngineProfile['engine'] = 'llama.cpp',
): ModelRefusal | null {
  const kind = findOtherKind(header);
  if (kind !== null) return kind;
  if (header.byteOrder === 'big')
    return {
      code: 'BYTE_ORDER',
      reason:
        'its numbers are big-endian, but llama.cpp reads only the byte order of its own machine',
    };
  const index = indexModel(header);
  const fault =
    findTensorFault(index) ??
    findMetadataFault(index) ??
    findForeignTensor(index) ??
    findUnusableType(index, { onCpu: false });
  return fault ?? (engine === 'embedded' ? refuseEmbedded(header) : null);
}

/**
 * Why the embedded engine refuses a model that other engines may load; `null` where it shows no reason. It is a known
 * build, so its architectures and pre-tokenizers are known. It refuses a file that states the number of its parts in another
 * type, and a list of the numbers of used experts.
 */
export function refuseEmbedded(header: GgufHeader): ModelRefusal | null {
  const { architecture } = header;
  if (architecture !== null && !EMBEDDED_ARCHITECTURES.has(architecture))
    return {
      code: 'ARCHITECTURE',
      reason: `the embedded engine does not have its architecture "${printable(architecture)}"`,
    };
  return (
    refuseEmbeddedTokenizer(header) ??
    wrongType(header, 'split.count', 'uint16') ??
    wrongType(header, `${architecture ?? ''}.expert_used_count`, 'uint32') ??
    findUnusableType(indexModel(header), { onCpu: true }) ??
    refuseTemplate(header)
  );
}

/** The embedded engine parses the template at the load and aborts; other engines may report it at the first chat, or not use it. */
function refuseTemplate(header: GgufHeader): ModelRefusal | null {
  const fault = findTemplateFault(header);
  return fault === null
    ? null
    : {
        code: 'CHAT_TEMPLATE',
        reason: `the embedded engine cannot parse its chat template (${fault})`,
      };
}
