import { toArgument } from '../arguments.ts';
import { appendName, type Call, showCall } from '../call.ts';
import { toText } from '../casts.ts';
import { refuseOnFolder } from '../refused.ts';
import { named, type Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that pad a text, or cut off what pads it. */
export const paddings: Family = {
  ...scalars([['trim', 'trim($t1, chr(32))', 'STRING']]),
  lpad: (call) => writePad(call, 'lpad'),
  rpad: (call) => writePad(call, 'rpad'),
  ltrim: (call) => writeTrim(call, 'ltrim', 'function'),
  rtrim: (call) => writeTrim(call, 'rtrim', 'function'),
  btrim: (call) => writeTrim(call, 'btrim', 'function'),
  'ltrim from': (call) => writeTrim(call, 'ltrim', 'keyword'),
  'rtrim from': (call) => writeTrim(call, 'rtrim', 'keyword'),
  'btrim from': (call) => writeTrim(call, 'btrim', 'keyword'),
};

function writePad(call: Call, word: 'lpad' | 'rpad'): Written {
  const [text, length, fill] = call.args;
  if (text?.type === 'BINARY') {
    if (fill !== undefined && fill.type !== 'BINARY')
      return refuseOnFolder(`${word}() of BINARY with a text`);
    const bytes = fill === undefined ? "'00'" : `hex(${fill.sql})`;
    const sql = `unhex(spark_${word}(hex(${text.sql}), 2 * ${toArgument(call, length, 'i')}, ${bytes}))`;
    return { sql, type: 'BINARY', name: fill === undefined ? appendName(call, "X'00'") : showCall(call) };
  }
  const pad = fill === undefined ? "' '" : toText(fill);
  const sql = `spark_${word}(${toArgument(call, text, 't')}, ${toArgument(call, length, 'i')}, ${pad})`;
  return { sql, type: 'STRING', name: fill === undefined ? appendName(call, ' ') : showCall(call) };
}

function writeTrim(call: Call, word: 'ltrim' | 'rtrim' | 'btrim', form: 'function' | 'keyword'): Written {
  const [first, second] = call.args;
  // As a function, ltrim and rtrim take what they cut off first.
  const isSwapped = form === 'function' && word !== 'btrim' && second !== undefined;
  const [text, characters] = isSwapped ? [second, first] : [first, second];
  const shown = { ltrim: 'LEADING', rtrim: 'TRAILING', btrim: 'BOTH' }[word];
  const cut = characters === undefined ? 'chr(32)' : toArgument(call, characters, 'y');
  const sql = `${word === 'btrim' ? 'trim' : word}(${toArgument(call, text, 'y')}, ${cut})`;
  const isPlain = characters === undefined || text === undefined || (word === 'btrim' && form === 'function');
  const name = isPlain
    ? showCall(call, form === 'keyword' ? 'trim' : word)
    : named`TRIM(${shown} ${characters} FROM ${text})`;
  return { sql, type: 'STRING', name };
}
