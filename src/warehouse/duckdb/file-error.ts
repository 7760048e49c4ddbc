/**
 * Describes the problem of a file that DuckDB refuses, so that its owner can find it: by line, without its path, its cells or
 * the engine's advice on options. Null for other errors.
 */
export function fileProblem(message: string): string | null {
  const json = /Malformed JSON in file .*?, at byte (\d+) in line (\d+): ([\w ()-]+)/s.exec(message);
  // Only in this message, the engine counts one line too many.
  if (json !== null)
    return `Line ${Number(json[2]) - 1} of the file is not JSON: ${json[3]?.trim()}, at byte ${json[1]}.`;
  const transform = /JSON transform error in file .*?, in line (\d+): (.*)/s.exec(message);
  if (transform !== null && /has duplicate key/.test(transform[2] ?? ''))
    return `Line ${transform[1]} of the file has a key twice.`;
  const object = /maximum_object_size\D+(\d+) bytes exceeded/.exec(message);
  if (object !== null)
    return `A line of the file is longer than the maximum of ${object[1]} bytes. Shorten it, or store the table as Parquet.`;
  const line = /Maximum line size of (\d+) bytes exceeded/.exec(message);
  // The engine does not always know which.
  if (line !== null)
    return `A line of the file cannot be read as CSV: it is longer than the maximum of ${line[1]} bytes, or a quote is not closed. Shorten it, or store the table as Parquet.`;
  const csv = /CSV Error on Line: (\d+)/.exec(message);
  if (csv !== null) {
    const reason =
      CSV_REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? 'it does not match the others';
    return `Line ${csv[1]} of the file cannot be read as CSV: ${reason}.`;
  }
  if (/^Permission Error: Cannot access file/.test(message))
    return 'The file is reached through a link that leads out of the folder of the warehouse: move what it leads to into that folder.';
  if (/CSV Sniffer: Sniffer detected/.test(message)) return 'The file has no header.';
  if (/No magic bytes found|too small to be a Parquet file|Footer length error/.test(message))
    return 'The file is not a whole Parquet file: it was cut off, or has another format.';
  if (/Failed to read file .*decompression failure/is.test(message))
    return 'The Parquet file is damaged: a part of it cannot be decompressed.';
  if (/Error when sniffing file/.test(message))
    return 'The file cannot be read as CSV: no delimiter fits all of its lines, a quote is not closed, or lines end in different ways.';
  return null;
}

const CSV_REASONS: readonly (readonly [RegExp, string])[] = [
  [/^Invalid unicode/m, 'it is not encoded in UTF-8'],
  [/^Error when converting column/m, 'a cell is of another kind than its column, or follows a closed quote'],
  [/^Value with unterminated quote/m, 'a quote is not closed, or text follows a closed one'],
];
