-- AlterTable
ALTER TABLE "job" ADD COLUMN     "ended_in" xid8,
ADD COLUMN     "written_in" xid8;

-- CreateIndex
CREATE INDEX "job_ended_in_idx" ON "job"("ended_in");

CREATE FUNCTION "job_written_in"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_in := pg_current_xact_id();
    NEW.ended_in := CASE WHEN NEW.state IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN NEW.written_in END;
    RETURN NEW;
END;
$$;

-- After "job_guard_update", in the order of names, which compares the other columns of a job that has ended.
CREATE TRIGGER "job_written_in" BEFORE INSERT OR UPDATE ON "job"
    FOR EACH ROW EXECUTE FUNCTION "job_written_in"();
