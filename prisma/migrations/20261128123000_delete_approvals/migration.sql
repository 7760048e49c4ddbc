-- AlterEnum
ALTER TYPE "job_event_kind" ADD VALUE 'DELETES_WAITING';
ALTER TYPE "job_event_kind" ADD VALUE 'DELETES_APPROVED';
ALTER TYPE "job_event_kind" ADD VALUE 'DELETES_REJECTED';

-- CreateTable
CREATE TABLE "delete_approval" (
    "data_source_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "data_type" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "count_by_level" BIGINT[],
    "read" JSONB NOT NULL,
    "message" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT blade_now(),

    CONSTRAINT "delete_approval_pkey" PRIMARY KEY ("data_source_id")
);

-- CreateIndex
CREATE INDEX "delete_approval_job_id_idx" ON "delete_approval"("job_id");

-- AddForeignKey
ALTER TABLE "delete_approval" ADD CONSTRAINT "delete_approval_data_source_id_fkey" FOREIGN KEY ("data_source_id") REFERENCES "data_source"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "delete_approval" ADD CONSTRAINT "delete_approval_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE;
