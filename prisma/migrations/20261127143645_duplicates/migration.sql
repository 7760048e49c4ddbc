-- AlterTable
ALTER TABLE "job" ADD COLUMN     "duplicate_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "duplicate_count" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "job_partition" ADD COLUMN     "duplicate_by_level" BIGINT[] DEFAULT blade_no_counts(),
ADD COLUMN     "duplicate_count" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "duplicate_item_id" TEXT,
ADD COLUMN     "duplicate_marking" TEXT;

-- What is remembered lacks the ids. The next sync reads the rows and remembers them again.
DELETE FROM "read_batch";

-- AlterTable
ALTER TABLE "read_batch" ADD COLUMN     "id_hashes" BYTEA NOT NULL;

-- AlterTable
ALTER TABLE "upload_batch" ADD COLUMN     "repeated_ids" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "read_ids" (
    "id" BIGSERIAL NOT NULL,
    "partition_id" UUID NOT NULL,
    "hashes" BYTEA NOT NULL,

    CONSTRAINT "read_ids_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "read_ids_partition_id_idx" ON "read_ids"("partition_id");

-- AddForeignKey
ALTER TABLE "read_ids" ADD CONSTRAINT "read_ids_partition_id_fkey" FOREIGN KEY ("partition_id") REFERENCES "job_partition"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Written by hand from here: what prisma/schema.prisma cannot say.

ALTER TABLE "job" ALTER COLUMN "duplicate_by_level" SET NOT NULL;
ALTER TABLE "job_partition" ALTER COLUMN "duplicate_by_level" SET NOT NULL;
ALTER TABLE "upload_batch" ALTER COLUMN "repeated_ids" SET NOT NULL;

ALTER TABLE "job" DROP CONSTRAINT "job_counts_add_up";
ALTER TABLE "job"
    ADD CONSTRAINT "job_counts_add_up" CHECK ("processed_items" = "success_count" + "error_count" + "duplicate_count"),
    ADD CONSTRAINT "job_duplicates_are_those_of_levels" CHECK (
        "duplicate_count" >= 0 AND "blade_levels_add_up"("duplicate_by_level", "duplicate_count")
    );

ALTER TABLE "job_partition" DROP CONSTRAINT "job_partition_counts_add_up";
ALTER TABLE "job_partition"
    ADD CONSTRAINT "job_partition_counts_add_up" CHECK (
        "processed_items" = "success_count" + "error_count" + "duplicate_count"
    ),
    ADD CONSTRAINT "job_partition_duplicates_are_those_of_levels" CHECK (
        "duplicate_count" >= 0 AND "blade_levels_add_up"("duplicate_by_level", "duplicate_count")
    ),
    ADD CONSTRAINT "job_partition_duplicate_has_marking" CHECK (
        ("duplicate_item_id" IS NULL) = ("duplicate_marking" IS NULL)
    );
