-- DropIndex
DROP INDEX "audit_entry_job_id_id_idx";

-- DropIndex
DROP INDEX "audit_entry_operation_id_idx";

-- DropIndex
DROP INDEX "audit_entry_principal_id_id_idx";

-- DropIndex
DROP INDEX "audit_entry_time_idx";

-- Data types compared byte by byte, as ids are: the program knows their order.
ALTER TABLE "blade_item" ALTER COLUMN "data_type" TYPE TEXT COLLATE "C";

-- DropIndex
DROP INDEX "blade_item_upload_batch_id_idx";

-- DropIndex
DROP INDEX "job_state_created_at_id_idx";

-- CreateIndex
CREATE INDEX "audit_entry_time_id_idx" ON "audit_entry"("time", "id");

-- CreateIndex
CREATE INDEX "audit_entry_marking_time_id_idx" ON "audit_entry"("marking", "time", "id");

-- CreateIndex
CREATE INDEX "audit_entry_job_id_marking_time_id_idx" ON "audit_entry"("job_id", "marking", "time", "id");

-- CreateIndex
CREATE INDEX "audit_entry_principal_id_marking_time_id_idx" ON "audit_entry"("principal_id", "marking", "time", "id");

-- CreateIndex
CREATE INDEX "audit_entry_operation_marking_time_id_idx" ON "audit_entry"("operation", "marking", "time", "id");

-- CreateIndex
CREATE INDEX "audit_entry_outcome_marking_time_id_idx" ON "audit_entry"("outcome", "marking", "time", "id");

-- CreateIndex
CREATE INDEX "blade_item_upload_batch_id_classification_marking_idx" ON "blade_item"("upload_batch_id", "classification_marking");

-- Written by hand: POSIX is the order of C under another name. Who asks for it gets these indexes, and never the primary key,
-- which the planner takes where it expects to meet soon what may stand at the very end.
CREATE INDEX "blade_item_job_id_classification_marking_data_type_item_id_idx"
    ON "blade_item" ("job_id", "classification_marking", "data_type" COLLATE "POSIX", "item_id" COLLATE "POSIX");

-- Written by hand: each item is in one of two. PostgreSQL does not see that what follows a NULL is in order.
CREATE INDEX "blade_item_marking_source_key_idx"
    ON "blade_item" ("classification_marking", "data_source_id", "data_type" COLLATE "POSIX", "item_id" COLLATE "POSIX")
    WHERE "data_source_id" IS NOT NULL;
CREATE INDEX "blade_item_marking_key_idx"
    ON "blade_item" ("classification_marking", "data_type" COLLATE "POSIX", "item_id" COLLATE "POSIX")
    WHERE "data_source_id" IS NULL;

-- CreateIndex
CREATE INDEX "job_marking_created_at_id_idx" ON "job"("marking", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_state_marking_created_at_id_idx" ON "job"("state", "marking", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_data_type_marking_created_at_id_idx" ON "job"("data_type", "marking", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_kind_marking_created_at_id_idx" ON "job"("kind", "marking", "created_at", "id");

-- CreateIndex
CREATE INDEX "job_error_job_id_stage_marking_id_idx" ON "job_error"("job_id", "stage", "marking", "id");
