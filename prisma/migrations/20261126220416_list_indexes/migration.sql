-- DropIndex
DROP INDEX "audit_entry_job_id_id_idx";

-- DropIndex
DROP INDEX "audit_entry_operation_id_idx";

-- DropIndex
DROP INDEX "audit_entry_principal_id_id_idx";

-- DropIndex
DROP INDEX "audit_entry_time_idx";

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

-- CreateIndex
CREATE INDEX "blade_item_classification_marking_data_source_id_data_type__idx" ON "blade_item"("classification_marking", "data_source_id", "data_type", "item_id");

-- CreateIndex
CREATE INDEX "blade_item_job_id_classification_marking_data_type_item_id_idx" ON "blade_item"("job_id", "classification_marking", "data_type", "item_id");

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
