/**
 * A test that any test runner can run: `for (const { name, run } of warehouseTests(open)) test(name, run)`. It needs up to a
 * minute.
 */
export interface ConformanceTest {
  /** What is promised. */
  readonly name: string;
  /** @throws AssertionError if the promise is not kept. */
  run(): Promise<void>;
}
