import { quoteText } from '../text.ts';
import { refuseOnFolder } from './refused.ts';
import type { Written } from './written.ts';

/** Reads a pattern of dates and times, which must be in the statement. */
export function readDatePattern(pattern: Written | undefined): string {
  if (typeof pattern?.literal === 'string') return pattern.literal;
  return refuseOnFolder('A pattern of dates that is not a text in the statement');
}

/** A letter of a pattern, repeated, or a text between letters. */
type Piece = { readonly letters: string } | { readonly text: string };

function split(pattern: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let index = 0; index < pattern.length; ) {
    const character = pattern[index] ?? '';
    if (character === "'") {
      const end = pattern.indexOf("'", index + 1);
      if (end < 0) return refuse(pattern);
      pieces.push({ text: end === index + 1 ? "'" : pattern.slice(index + 1, end) });
      index = end + 1;
    } else if (/[A-Za-z]/.test(character)) {
      let end = index;
      while (pattern[end] === character) end += 1;
      pieces.push({ letters: pattern.slice(index, end) });
      index = end;
    } else if (/[[\]{}#]/.test(character)) {
      return refuse(pattern);
    } else {
      pieces.push({ text: character });
      index += 1;
    }
  }
  return pieces;
}

const FORMATS: ReadonlyMap<string, string> = new Map([
  ...([
    ['y', '%Y'],
    ['yyyy', '%Y'],
    ['yy', '%y'],
    ['M', '%-m'],
    ['MM', '%m'],
    ['MMM', '%b'],
    ['MMMM', '%B'],
    ['L', '%-m'],
    ['LL', '%m'],
    ['LLL', '%b'],
    ['LLLL', '%B'],
    ['d', '%-d'],
    ['dd', '%d'],
    ['D', '%-j'],
    ['DDD', '%j'],
    ['H', '%-H'],
    ['HH', '%H'],
    ['h', '%-I'],
    ['hh', '%I'],
    ['m', '%-M'],
    ['mm', '%M'],
    ['s', '%-S'],
    ['ss', '%S'],
    ['SSS', '%g'],
    ['SSSSSS', '%f'],
    ['a', '%p'],
    ['E', '%a'],
    ['EE', '%a'],
    ['EEE', '%a'],
    ['EEEE', '%A'],
  ] as const),
]);

/** Formats a time by a pattern of Databricks. */
export function writeDateFormat(time: string, pattern: string): string {
  const local = `CAST(${time} AS TIMESTAMP)`;
  let format = '';
  const parts: string[] = [];
  const flush = () => {
    if (format !== '') parts.push(`strftime(${local}, ${quoteText(format)})`);
    format = '';
  };
  for (const piece of split(pattern)) {
    if ('text' in piece) {
      format += piece.text.replaceAll('%', '%%');
      continue;
    }
    const known = FORMATS.get(piece.letters);
    if (known !== undefined) format += known;
    else if (piece.letters === 'Q' || piece.letters === 'q') {
      flush();
      parts.push(`CAST(quarter(${local}) AS VARCHAR)`);
    } else if (/^S{1,6}$/.test(piece.letters)) {
      flush();
      parts.push(`left(strftime(${local}, '%f'), ${piece.letters.length})`);
    } else return refuse(pattern);
  }
  flush();
  return parts.length === 0 ? `CASE WHEN ${time} IS NOT NULL THEN '' END` : `(${parts.join(' || ')})`;
}

const PARSED: ReadonlyMap<string, readonly [format: string, expression: string]> = new Map([
  ...([
    ['yyyy', ['%Y', '\\d{4}']],
    ['MM', ['%m', '(?:0[1-9]|1[0-2])']],
    ['M', ['%m', '(?:1[0-2]|0?[1-9])']],
    ['MMM', ['%b', '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)']],
    ['dd', ['%d', '\\d{2}']],
    ['d', ['%d', '\\d{1,2}']],
    ['HH', ['%H', '\\d{2}']],
    ['H', ['%H', '\\d{1,2}']],
    ['mm', ['%M', '\\d{2}']],
    ['m', ['%M', '\\d{1,2}']],
    ['ss', ['%S', '\\d{2}']],
    ['s', ['%S', '\\d{1,2}']],
    ['SSS', ['%g', '\\d{3}']],
    ['hh', ['%I', '\\d{2}']],
    ['h', ['%I', '\\d{1,2}']],
    ['a', ['%p', '(?:AM|PM)']],
  ] as const),
]);

/** Reads a time from a text by a pattern of Databricks; a text of another form is an error. */
export function writeDateParse(text: string, pattern: string): string {
  let format = '';
  let expression = '';
  const seen = new Set<string>();
  for (const piece of split(pattern)) {
    if ('text' in piece) {
      format += piece.text.replaceAll('%', '%%');
      expression += piece.text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
      continue;
    }
    const known = PARSED.get(piece.letters);
    if (known === undefined || seen.has(piece.letters[0] ?? '')) return refuse(pattern);
    seen.add(piece.letters[0] ?? '');
    format += known[0];
    expression += known[1];
  }
  // Without a year, and with a part that its whole lacks, the two do not agree on the rest.
  const isWhole =
    seen.has('y') &&
    (!seen.has('d') || seen.has('M')) &&
    !seen.has('h') === !seen.has('a') &&
    (!seen.has('m') || seen.has('H') || seen.has('h'));
  if (!isWhole) return refuse(pattern);
  return `spark_parse_time(${text}, ${quoteText(format)}, ${quoteText(expression)})`;
}

function refuse(pattern: string): never {
  refuseOnFolder(`The pattern of dates ${pattern}`);
}
