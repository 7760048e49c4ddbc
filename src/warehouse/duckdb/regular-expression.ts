/** What the engine's work for a regular expression depends on, beside the length of the text. */
export interface ExpressionShape {
  /** How many places within it a match may be at, once each count is written out. */
  readonly places: number;
  /** Whether a count repeats what has one itself: the engine then follows all places at once. */
  readonly countsCounts: boolean;
  /** Whether a search may read far past the match that it finds, and the next one reads the same text again. */
  readonly overshoots: boolean;
}

/** Reads the shape of an expression, or null where it is nested too deep for that. */
export function readExpression(expression: string): ExpressionShape | null {
  const reader: Reader = { rest: expression, depth: 0, isTooDeep: false };
  let shape = readAlternatives(reader);
  // A parenthesis too many is the engine's to refuse.
  while (reader.rest !== '') {
    reader.rest = reader.rest.slice(1);
    shape = followed(shape, readAlternatives(reader));
  }
  if (reader.isTooDeep) return null;
  const { places, countsCounts, overshoots } = shape;
  return { places, countsCounts, overshoots };
}

interface Part extends ExpressionShape {
  readonly isCounted: boolean;
  readonly isOptional: boolean;
  /** Whether it repeats something without end. */
  readonly isEndless: boolean;
  /** Whether something must follow what repeats without end. */
  readonly isDemanding: boolean;
}

interface Reader {
  rest: string;
  depth: number;
  isTooDeep: boolean;
}

const MAX_DEPTH = 200;

const NOTHING: Part = {
  ...{ places: 0, countsCounts: false, overshoots: false },
  ...{ isCounted: false, isOptional: true, isEndless: false, isDemanding: false },
};
const CHARACTER: Part = { ...NOTHING, places: 1, isOptional: false };

/** An escape, a set of characters or one character. */
const ATOM = /^(?:\\[pP]\{[^}]*\}|\\[\s\S]?|\[\^?\]?(?:\\[\s\S]|\[:\^?\w*:\]|[^\]\\])*\]?|[\s\S])/u;
const GROUP = /^\((?:\?(?:P?<\w*>|[a-zA-Z-]*:|[a-zA-Z-]*(?=\))))?/;
const COUNT = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/;

function readAlternatives(reader: Reader): Part {
  let all = readSequence(reader);
  while (reader.rest.startsWith('|')) {
    reader.rest = reader.rest.slice(1);
    const next = readSequence(reader);
    all = {
      ...joined(all, next),
      // While it looks for the end of the one, it has found the other.
      overshoots: all.overshoots || next.overshoots || all.isDemanding,
      isOptional: all.isOptional || next.isOptional,
    };
  }
  return all;
}

function readSequence(reader: Reader): Part {
  let all = NOTHING;
  while (reader.rest !== '' && !/^[|)]/.test(reader.rest)) all = followed(all, readCounted(reader));
  return all;
}

function readCounted(reader: Reader): Part {
  let part = readAtom(reader);
  for (let count = COUNT.exec(reader.rest); count !== null; count = COUNT.exec(reader.rest)) {
    reader.rest = reader.rest.slice(count[0].length);
    part = repeated(part, count);
  }
  return part;
}

function readAtom(reader: Reader): Part {
  const group = GROUP.exec(reader.rest);
  if (group === null) {
    const length = ATOM.exec(reader.rest)?.[0].length ?? 1;
    reader.rest = reader.rest.slice(length);
    return CHARACTER;
  }
  reader.rest = reader.rest.slice(group[0].length);
  if (reader.depth >= MAX_DEPTH) {
    reader.isTooDeep = true;
    reader.rest = '';
    return NOTHING;
  }
  reader.depth += 1;
  const inner = readAlternatives(reader);
  reader.depth -= 1;
  reader.rest = reader.rest.slice(1);
  return inner;
}

function repeated(part: Part, [text, least, comma, most]: RegExpExecArray): Part {
  const isEndless = /^[*+]/.test(text) || (comma === ',' && most === '');
  const times = Math.max(Number(least ?? 1), Number(most ?? 1), 1);
  return {
    ...part,
    places: part.places * times,
    countsCounts: part.countsCounts || (times > 1 && part.isCounted),
    overshoots: part.overshoots || part.isDemanding,
    isCounted: part.isCounted || times > 1,
    isOptional: part.isOptional || /^[*?]/.test(text) || Number(least ?? 1) === 0,
    isEndless: part.isEndless || isEndless,
  };
}

function followed(part: Part, next: Part): Part {
  return {
    ...joined(part, next),
    isOptional: part.isOptional && next.isOptional,
    isDemanding: part.isDemanding || next.isDemanding || (part.isEndless && !next.isOptional),
  };
}

function joined(one: Part, other: Part): Part {
  return {
    places: one.places + other.places,
    countsCounts: one.countsCounts || other.countsCounts,
    overshoots: one.overshoots || other.overshoots,
    isCounted: one.isCounted || other.isCounted,
    isOptional: one.isOptional,
    isEndless: one.isEndless || other.isEndless,
    isDemanding: one.isDemanding || other.isDemanding,
  };
}
