import { setImmediate } from 'node:timers/promises';

/**
 * Creates a function that batches the loads of one turn of the event loop, such as those for the items of a list.
 * @param load loads the answers to all questions of one owner.
 * @returns a function that adds a question and resolves to what `load` returns for all questions of its owner.
 */
export function createLoader<Owner extends object, Question, Result>(
  load: (owner: Owner, questions: readonly Question[]) => Promise<Result>,
): (owner: Owner, question: Question) => Promise<Result> {
  const batches = new WeakMap<Owner, { questions: Question[]; result: Promise<Result> }>();

  function startBatch(owner: Owner) {
    const questions: Question[] = [];
    const result = setImmediate().then(() => {
      batches.delete(owner);
      return load(owner, questions);
    });
    const batch = { questions, result };
    batches.set(owner, batch);
    return batch;
  }

  return (owner, question) => {
    const batch = batches.get(owner) ?? startBatch(owner);
    batch.questions.push(question);
    return batch.result;
  };
}
