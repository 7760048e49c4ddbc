import { randomBytes } from 'node:crypto';
import type { BladeItem } from '../../data-types/blade-item.ts';

/** Writes items as multipart/form-data, as RFC 7578 and the HTML standard have it. */
export interface ItemForm {
  /** The value of the header `content-type` of every body. */
  readonly contentType: string;
  /** The body that uploads an item: its fields, and its data as a JSON file. Every value arrives as it is. */
  createBody(item: BladeItem): string;
}

// Not FormData of undici: it turns every line end of a value into CR LF, which would upload one item under the id of
// another, and takes five times as long for a request as this.

/** A form for items that exist already: its boundary is drawn now, so that none of them can hold it. */
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

const unsafeInFileName = /["\r\n]/g;

function escapeFileName(name: string): string {
  return name.replace(unsafeInFileName, encodeURIComponent);
}
