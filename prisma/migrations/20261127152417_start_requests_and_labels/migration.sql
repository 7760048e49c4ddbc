-- AlterTable
ALTER TABLE "job" ADD COLUMN     "labels" JSONB NOT NULL DEFAULT '{}';

-- CreateTable
CREATE TABLE "start_request" (
    "principal_id" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "input_hash" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "start_request_pkey" PRIMARY KEY ("principal_id","operation","idempotency_key")
);

-- CreateIndex
CREATE INDEX "start_request_job_id_idx" ON "start_request"("job_id");

-- CreateIndex
CREATE INDEX "start_request_created_at_idx" ON "start_request"("created_at");

-- AddForeignKey
ALTER TABLE "start_request" ADD CONSTRAINT "start_request_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "job"("id") ON DELETE CASCADE ON UPDATE CASCADE
  -- A start is saved before its job, so that it is recognized before anything can refuse a second one.
  DEFERRABLE INITIALLY DEFERRED;
