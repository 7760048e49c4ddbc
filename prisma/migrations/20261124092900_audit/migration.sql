-- CreateEnum
CREATE TYPE "audit_outcome" AS ENUM ('DONE', 'REFUSED');

-- AlterTable
ALTER TABLE "job" ADD COLUMN     "started_by_id" TEXT,
ADD COLUMN     "started_by_name" TEXT;

-- CreateTable
CREATE TABLE "audit_entry" (
    "id" UUID NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "principal_id" TEXT NOT NULL,
    "principal_name" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "outcome" "audit_outcome" NOT NULL,
    "job_id" UUID,
    "data_source_id" UUID,
    "api_key_id" UUID,
    "details" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_entry_time_idx" ON "audit_entry"("time");

-- CreateIndex
CREATE INDEX "audit_entry_principal_id_id_idx" ON "audit_entry"("principal_id", "id");

-- CreateIndex
CREATE INDEX "audit_entry_operation_id_idx" ON "audit_entry"("operation", "id");

-- CreateIndex
CREATE INDEX "audit_entry_job_id_id_idx" ON "audit_entry"("job_id", "id");

-- Entries are only ever added. Retention may delete those from before the time that it names for its transaction.
CREATE FUNCTION "audit_entry_guard"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.time < nullif(current_setting('blade.audit_kept_since', true), '')::timestamptz THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit is only added to'
        USING ERRCODE = 'check_violation', TABLE = 'audit_entry', CONSTRAINT = 'audit_entry_is_append_only';
END;
$$;

CREATE TRIGGER "audit_entry_guard" BEFORE UPDATE OR DELETE ON "audit_entry"
    FOR EACH ROW EXECUTE FUNCTION "audit_entry_guard"();

CREATE TRIGGER "audit_entry_guard_truncate" BEFORE TRUNCATE ON "audit_entry"
    FOR EACH STATEMENT EXECUTE FUNCTION "audit_entry_guard"();
