/** Answers the questions of the parent process, and tells it when this one is ready. */
export function answerParent(answer: (question: Record<string, unknown>) => Promise<object>): void {
  process.on('message', (question) => {
    answer(question as Record<string, unknown>).then(
      (found) => process.send?.(found),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit());
  process.send?.({ isReady: true });
}

/** Seconds of processor time that this process has used. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
