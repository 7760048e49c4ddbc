-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'BATCH_RETRIED';
