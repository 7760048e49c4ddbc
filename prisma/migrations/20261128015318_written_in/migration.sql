-- Without the default at first, so that the errors that are there are not written again.
-- AlterTable
ALTER TABLE "job_error" ADD COLUMN     "written_in" xid8;
ALTER TABLE "job_error" ALTER COLUMN "written_in" SET DEFAULT pg_current_xact_id();

-- CreateIndex
CREATE INDEX "job_error_job_id_written_in_id_idx" ON "job_error"("job_id", "written_in", "id");
