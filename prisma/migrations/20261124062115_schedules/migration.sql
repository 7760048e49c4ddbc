-- AlterTable
ALTER TABLE "data_source" ADD COLUMN     "schedule_cron" TEXT,
ADD COLUMN     "schedule_time_zone" TEXT NOT NULL DEFAULT 'UTC';

-- CreateTable
CREATE TABLE "scheduled_run" (
    "id" UUID NOT NULL,
    "data_source_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "job_id" UUID,
    "skipped_because" TEXT,

    CONSTRAINT "scheduled_run_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "scheduled_run_data_source_id_id_idx" ON "scheduled_run"("data_source_id", "id");

-- CreateIndex
CREATE INDEX "scheduled_run_job_id_idx" ON "scheduled_run"("job_id");

-- AddForeignKey
ALTER TABLE "scheduled_run" ADD CONSTRAINT "scheduled_run_data_source_id_fkey" FOREIGN KEY ("data_source_id") REFERENCES "data_source"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "scheduled_run" ADD CONSTRAINT "scheduled_run_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE SET NULL ON UPDATE CASCADE;
