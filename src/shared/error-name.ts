/**
 * Creates a test for `instanceof` that knows an error by its name, because a plug-in may have a separate copy of this package
 * and so of its classes.
 */
export function isErrorNamed(name: string): (value: unknown) => boolean {
  return (value) => value instanceof Error && value.name === name;
}
