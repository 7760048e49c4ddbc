/**
 * What is wrong with a file that DuckDB refuses, as its owner can look for it: by line, without its path, its cells and
 * the engine's advice on its own options. Null where the error is another.
 */
export function fileProblem(message: string): string | null {
  const json = /Malformed JSON in file .*?, at byte (\d+) in line (\d+): ([\w ()-]+)/s.exec(message);
  // The engine counts one line too many here, and in no other message.
  if (json !== null)
    return `Line ${Number(json[2]) - 1} of the file is no JSON: ${json[3]?.trim()}, at byte ${json[1]}.`;
  const transform = /JSON transform error in file .*?, in line (\d+): (.*)/s.exec(message);
  if (transform !== null && /has duplicate key/.test(transform[2] ?? ''))
    return `Line ${transform[1]} of the file has a key twice.`;
  const object = /maximum_object_size\D+(\d+) bytes exceeded/.exec(message);
  if (object !== null) return `A line of the file is longer than the ${object[1]} bytes that one may have.`;
  const csv = /CSV Error on Line: (\d+)/.exec(message);
  if (csv !== null) {
    const reason = csvReasons.find(([pattern]) => pattern.test(message))?.[1] ?? 'it does not fit the others';
    return `Line ${csv[1]} of the file cannot be read as CSV: ${reason}.`;
  }
  if (/CSV Sniffer: Sniffer detected/.test(message)) return 'The file has no line that names its columns.';
  if (/Error when sniffing file/.test(message))
    return 'The file cannot be read as CSV: no delimiter fits all of its lines, a quote is not closed, or lines end in different ways.';
  return null;
}

const csvReasons: readonly (readonly [RegExp, string])[] = [
  [/^Invalid unicode/m, 'it is not encoded in UTF-8'],
  [/^Maximum line size of \d+ bytes exceeded/m, 'it is too long, or a quote is not closed'],
  [
    /^Error when converting column/m,
    'a cell is of another kind than its column, or something stands behind a quote',
  ],
  [/^Value with unterminated quote/m, 'a quote is not closed, or something stands behind it'],
];
