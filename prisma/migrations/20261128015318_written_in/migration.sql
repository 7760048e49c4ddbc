-- Without the default at first, so that the rows that are there, which no feed has to deliver, are not written again.
-- AlterTable
ALTER TABLE "job" ADD COLUMN     "written_in" xid8;
ALTER TABLE "job" ALTER COLUMN "written_in" SET DEFAULT pg_current_xact_id();

-- AlterTable
ALTER TABLE "job_error" ADD COLUMN     "written_in" xid8;
ALTER TABLE "job_error" ALTER COLUMN "written_in" SET DEFAULT pg_current_xact_id();

-- AlterTable
ALTER TABLE "job_event" ADD COLUMN     "written_in" xid8;
ALTER TABLE "job_event" ALTER COLUMN "written_in" SET DEFAULT pg_current_xact_id();

-- CreateIndex
CREATE INDEX "job_error_job_id_written_in_id_idx" ON "job_error"("job_id", "written_in", "id");

-- CreateIndex
CREATE INDEX "job_event_written_in_job_id_idx" ON "job_event"("written_in", "job_id");

CREATE FUNCTION "job_written_in"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_in := pg_current_xact_id();
    RETURN NEW;
END;
$$;

-- No index has the column, so progress is still written without touching any.
CREATE TRIGGER "job_written_in" BEFORE UPDATE ON "job"
    FOR EACH ROW WHEN (OLD."state" NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) EXECUTE FUNCTION "job_written_in"();
