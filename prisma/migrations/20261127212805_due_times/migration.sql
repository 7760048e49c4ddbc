-- CreateEnum
CREATE TYPE "scheduled_run_state" AS ENUM ('WAITING', 'STARTED', 'SKIPPED', 'MISSED');

-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "next_due_at" TIMESTAMPTZ(3);

-- Runs of before started at once or were skipped; when they were due was not recorded.
ALTER TABLE "scheduled_run" ADD COLUMN     "due_at" TIMESTAMPTZ(3),
ADD COLUMN     "due_times" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "first_due_at" TIMESTAMPTZ(3),
ADD COLUMN     "state" "scheduled_run_state";
UPDATE "scheduled_run" SET "due_at" = "created_at", "first_due_at" = "created_at",
  "state" = (CASE WHEN "skipped_because" IS NULL THEN 'STARTED' ELSE 'SKIPPED' END)::"scheduled_run_state";
ALTER TABLE "scheduled_run" ALTER COLUMN "due_at" SET NOT NULL,
ALTER COLUMN "first_due_at" SET NOT NULL,
ALTER COLUMN "state" SET NOT NULL;

-- CreateIndex
CREATE INDEX "data_source_next_due_at_idx" ON "data_source"("next_due_at");

-- CreateIndex
CREATE INDEX "scheduled_run_data_source_id_due_at_idx" ON "scheduled_run"("data_source_id", "due_at");

-- What is not in force does not come due.
ALTER TABLE "data_source" ADD CONSTRAINT "data_source_due_by_schedule"
  CHECK ("next_due_at" IS NULL OR ("enabled" AND "schedule_cron" IS NOT NULL));

ALTER TABLE "scheduled_run" ADD CONSTRAINT "scheduled_run_reason"
  CHECK (("state" IN ('SKIPPED', 'MISSED')) = ("skipped_because" IS NOT NULL));
ALTER TABLE "scheduled_run" ADD CONSTRAINT "scheduled_run_job"
  CHECK ("job_id" IS NULL OR "state" = 'STARTED');
ALTER TABLE "scheduled_run" ADD CONSTRAINT "scheduled_run_due_times"
  CHECK ("first_due_at" <= "due_at" AND "due_times" >= 1);

-- A due time starts one sync, whatever the clock does and however many processes there are.
CREATE UNIQUE INDEX "scheduled_run_once" ON "scheduled_run" ("data_source_id", "due_at")
  WHERE "state" IN ('WAITING', 'STARTED');

-- What comes due while a run waits joins it.
CREATE UNIQUE INDEX "scheduled_run_one_waiting" ON "scheduled_run" ("data_source_id")
  WHERE "state" = 'WAITING';
