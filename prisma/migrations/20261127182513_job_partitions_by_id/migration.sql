-- CreateIndex
CREATE INDEX "job_partition_job_id_id_idx" ON "job_partition"("job_id", "id");
