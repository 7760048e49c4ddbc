import { z } from 'zod';
import { JobKind } from '../../database/generated/prisma/enums.ts';
import type { Notifications } from '../../database/notifications.ts';
import { JobState } from '../job-state.ts';

/** A change of a job, as the database notifies all listeners. */
export interface JobChange {
  readonly id: string;
  readonly revision: number;
  readonly state: JobState;
  readonly kind: JobKind;
  readonly dataType: string | null;
}

export interface JobChangeListener {
  onChange(change: JobChange): void;
  /** The log of a job has another event. */
  onEvent?(jobId: string): void;
  /** Changes may have been missed. */
  onReconnect(): void | Promise<void>;
}

/** Changes of all jobs in the database, made by any process; one listener per process. */
export interface JobNotifications {
  /** @returns ends the subscription. */
  subscribe(listener: JobChangeListener): () => void;
  close(): Promise<void>;
}

/** The channels that triggers notify: of changed jobs, and of the events of jobs. */
const CHANNEL = 'blade_job';
const EVENT_CHANNEL = 'blade_job_event';

const changeSchema = z.object({
  id: z.string(),
  revision: z.number(),
  state: z.enum(JobState),
  kind: z.enum(JobKind),
  dataType: z.string().nullable(),
});

export async function listenToJobs(
  notifications: Notifications,
  onError: (error: unknown) => void,
): Promise<JobNotifications> {
  const listeners = new Set<JobChangeListener>();
  function onReconnect(): void {
    for (const listener of listeners) Promise.resolve(listener.onReconnect()).catch(onError);
  }

  const unlisten = await notifications.listen(CHANNEL, {
    onNotification(payload) {
      const change = changeSchema.parse(JSON.parse(payload));
      for (const listener of listeners) listener.onChange(change);
    },
    onReconnect,
  });
  const unlistenToEvents = await notifications.listen(EVENT_CHANNEL, {
    onNotification(jobId) {
      for (const listener of listeners) listener.onEvent?.(jobId);
    },
    onReconnect,
  });
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await unlistenToEvents();
      await unlisten();
    },
  };
}
