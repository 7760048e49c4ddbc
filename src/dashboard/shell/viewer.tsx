export interface Viewer {
  /** Whether it may start, pause, cancel and retry jobs. */
  readonly mayOperate: boolean;
  /** Whether it may change data sources. */
  readonly mayAdminister: boolean;
}

/** Who uses the page, and what the server lets them do. */
export function useViewer(): Viewer {
  return { mayOperate: true, mayAdminister: true };
}
