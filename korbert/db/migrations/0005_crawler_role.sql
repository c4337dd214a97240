-- A crawler's database role owns nothing and may create nothing: months get their partitions through this function,
-- which runs as the owner. Its search path is fixed, temporary tables last, so that no caller can put other tables in
-- front of ours.
ALTER FUNCTION create_body_month(date) SECURITY DEFINER;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION create_body_month(date) SET search_path = %I, pg_temp', current_schema());
END
$$;
