-- CreateEnum
CREATE TYPE "access_role" AS ENUM ('viewer', 'operator', 'admin');

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "role" "access_role" NOT NULL,
    "clearance" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

ALTER TABLE "api_key"
    ADD CONSTRAINT "api_key_clearance_is_marking" CHECK ("clearance" IN (
        'U', 'UNCLASSIFIED', 'CUI', 'C', 'CONFIDENTIAL', 'S', 'SECRET', 'TS', 'TOP SECRET'
    ));

-- What a key may do never changes, and a revoked key stays revoked.
CREATE FUNCTION "api_key_guard_update"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.hash, OLD.role, OLD.clearance, OLD.expires_at)
            IS DISTINCT FROM (NEW.id, NEW.hash, NEW.role, NEW.clearance, NEW.expires_at)
            OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) THEN
        RAISE EXCEPTION 'API key % does not change: revoke it and make another', OLD.id
            USING ERRCODE = 'check_violation', TABLE = 'api_key', CONSTRAINT = 'api_key_does_not_change';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER "api_key_guard_update" BEFORE UPDATE ON "api_key"
    FOR EACH ROW EXECUTE FUNCTION "api_key_guard_update"();

-- Every process forgets a key that is revoked, and ends what it has open.
CREATE FUNCTION "api_key_notify"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('blade_api_key', OLD.id::text);
    RETURN NULL;
END;
$$;

CREATE TRIGGER "api_key_notify_revoked" AFTER UPDATE OF "revoked_at" ON "api_key"
    FOR EACH ROW EXECUTE FUNCTION "api_key_notify"();

CREATE TRIGGER "api_key_notify_deleted" AFTER DELETE ON "api_key"
    FOR EACH ROW EXECUTE FUNCTION "api_key_notify"();
