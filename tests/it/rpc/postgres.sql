CREATE FUNCTION fails() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING DETAIL = 'd', HINT = 'h'; END $$;
CREATE FUNCTION teapot() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE 'PT418' USING MESSAGE = 'short'; END $$;
CREATE FUNCTION with_headers() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('response.headers', '[{"X-Film": "M"}]', true);
    PERFORM set_config('response.status', '202', true);
    RETURN 1;
END $$;
CREATE SEQUENCE calls;
CREATE FUNCTION count_calls() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('calls') $$;
