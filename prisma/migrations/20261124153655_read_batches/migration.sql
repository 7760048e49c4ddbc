-- CreateTable
CREATE TABLE "read_batch" (
    "data_source_id" UUID NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "rows_by_level" INTEGER[],
    "upload_batch_ids" BIGINT[],
    "item_counts" INTEGER[],
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "read_batch_pkey" PRIMARY KEY ("data_source_id","fingerprint")
);

-- Written by hand: each upload batch has its count, and rows come from somewhere.
ALTER TABLE "read_batch"
    ADD CONSTRAINT "read_batch_counts_upload_batches" CHECK (
        COALESCE(CARDINALITY("upload_batch_ids") = CARDINALITY("item_counts") AND CARDINALITY("item_counts") > 0, FALSE)),
    ADD CONSTRAINT "read_batch_counts_levels" CHECK (COALESCE(CARDINALITY("rows_by_level") = 5, FALSE));
