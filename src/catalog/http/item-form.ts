import { randomBytes } from 'node:crypto';
import type { BladeItem } from '../../data-types/blade-item.ts';

/** Writes items as multipart/form-data (RFC 7578 and the HTML standard). */
export interface ItemForm {
  /** The header `content-type` of every body. */
  readonly contentType: string;
  /** Creates the body that uploads an item: its fields, and its data as a JSON file. Every value arrives unchanged. */
  createBody(item: BladeItem): string;
}

// undici's FormData turns every line end in a value into CR LF, which could upload an item under another one's id, and
// takes five times as long.

/** Creates a form for items that exist already: its boundary is random, so that none of them can contain it. */
export function createItemForm(): ItemForm {
  const boundary = `blade-${randomBytes(18).toString('hex')}`;
  const field = (name: string) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`;
  const dataSource = field('dataSource');
  const classificationMarking = field('classificationMarking');
  const itemIdField = field('itemId');
  const metadataField = field('metadata');
  const file = field('file');
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    createBody: ({ dataType, itemId, classificationMarking: marking, data, metadata }) =>
      `${dataSource}\r\n\r\nBLADE:${dataType}\r\n` +
      `${classificationMarking}\r\n\r\n${marking}\r\n` +
      `${itemIdField}\r\n\r\n${itemId}\r\n` +
      `${metadataField}\r\n\r\n${metadata}\r\n` +
      `${file}; filename="${escapeFileName(`${dataType}_${itemId}.json`)}"\r\n` +
      `content-type: application/json\r\n\r\n${data}\r\n--${boundary}--\r\n`,
  };
}

const UNSAFE_IN_FILE_NAME = /["\r\n]/g;

function escapeFileName(name: string): string {
  return name.replace(UNSAFE_IN_FILE_NAME, encodeURIComponent);
}
