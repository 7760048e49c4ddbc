-- AlterTable
ALTER TABLE "upload_batch" ADD COLUMN     "generation" TEXT,
ADD COLUMN     "lost_at" TIMESTAMPTZ(3),
ADD COLUMN     "upload_key" TEXT;

-- CreateIndex
CREATE INDEX "upload_batch_lost_at_idx" ON "upload_batch"("lost_at");

-- Written by hand: a lost batch is uploaded no more, and a partition may be restoring it.
ALTER TABLE "upload_batch" DROP CONSTRAINT "upload_batch_owed_or_uploaded";
ALTER TABLE "upload_batch" ADD CONSTRAINT "upload_batch_owed_or_uploaded" CHECK (
    CASE WHEN "lost_at" IS NULL THEN ("partition_id" IS NULL) = ("uploaded_at" IS NOT NULL) ELSE "uploaded_at" IS NULL END
);
