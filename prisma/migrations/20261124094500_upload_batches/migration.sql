-- CreateTable
CREATE TABLE "upload_batch" (
    "id" BIGSERIAL NOT NULL,
    "partition_id" UUID,
    "uploaded_at" TIMESTAMPTZ(3),

    CONSTRAINT "upload_batch_pkey" PRIMARY KEY ("id")
);

-- AlterTable
ALTER TABLE "blade_item" ADD COLUMN     "upload_batch_id" BIGINT,
ADD COLUMN     "was_uploaded" BOOLEAN NOT NULL DEFAULT false;

-- Written by hand: what has been uploaded at one time, or is owed by one partition, becomes a batch.
ALTER TABLE "upload_batch"
    ADD CONSTRAINT "upload_batch_owed_or_uploaded" CHECK (("partition_id" IS NULL) = ("uploaded_at" IS NOT NULL));

INSERT INTO "upload_batch" ("uploaded_at")
SELECT DISTINCT "uploaded_at" FROM "blade_item" WHERE "uploaded_at" IS NOT NULL ORDER BY 1;

INSERT INTO "upload_batch" ("partition_id")
SELECT DISTINCT "pending_partition_id" FROM "blade_item"
WHERE "uploaded_at" IS NULL AND "pending_partition_id" IS NOT NULL;

UPDATE "blade_item" "item" SET
    "upload_batch_id" = (
        SELECT "id" FROM "upload_batch"
        WHERE "uploaded_at" = "item"."uploaded_at"
           OR ("item"."uploaded_at" IS NULL AND "partition_id" = "item"."pending_partition_id")
    ),
    "was_uploaded" = "catalog_id" IS NOT NULL AND "uploaded_at" IS NULL;

ALTER TABLE "blade_item" DROP COLUMN "catalog_id",
DROP COLUMN "pending_partition_id",
DROP COLUMN "uploaded_at";

-- Ids compared byte by byte: faster, and `LIKE 'prefix%'` can use the primary key.
ALTER TABLE "blade_item" ALTER COLUMN "item_id" TYPE TEXT COLLATE "C";

-- CreateIndex
CREATE INDEX "upload_batch_partition_id_idx" ON "upload_batch"("partition_id");

-- CreateIndex
CREATE INDEX "blade_item_upload_batch_id_idx" ON "blade_item"("upload_batch_id");
