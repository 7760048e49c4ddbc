/** Makes column names distinct by numbering repetitions: `id`, `id:1`. */
export function makeNamesDistinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let number = 1; taken.has(distinct); number += 1) distinct = `${name}:${number}`;
    taken.add(distinct);
    return distinct;
  });
}
