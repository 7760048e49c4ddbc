/** Receives the notifications of a channel. */
export interface NotificationListener {
  onNotification(payload: string): void;
  /** Called when a lost connection is back: notifications may have been missed. */
  onReconnect(): void;
}

/** The notifications of a PostgreSQL database. */
export interface Notifications {
  /**
   * Listens to a channel.
   * @returns a function that ends the listening, once the database listens.
   */
  listen(channel: string, listener: NotificationListener): Promise<() => Promise<void>>;
}
