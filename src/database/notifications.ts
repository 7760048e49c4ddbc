/** What a listener of a channel is told. */
export interface NotificationListener {
  onNotification(payload: string): void;
  /** The connection was away and is back: notifications may have been missed. */
  onReconnect(): void;
}

/** PostgreSQL notifications of a database, as they arrive. */
export interface Notifications {
  /**
   * Listens to a channel from when the promise resolves.
   * @returns ends the listening.
   */
  listen(channel: string, listener: NotificationListener): Promise<() => Promise<void>>;
}
