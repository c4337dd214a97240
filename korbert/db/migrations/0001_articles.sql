-- Articles. The key table is not partitioned, because a unique key on a partitioned table must hold the partition
-- column: an article whose date is corrected would then become a second row. Bodies lie beside it, by month.

CREATE TABLE article (
    id             bigserial PRIMARY KEY,
    source         text COLLATE "C" NOT NULL CHECK (source <> ''),
    -- 1,000 bytes: a B-tree entry may not pass a third of a page, and an id is no place for a text.
    native_id      text COLLATE "C" NOT NULL CHECK (native_id <> '' AND octet_length(native_id) <= 1000),
    url            text NOT NULL,
    press          text NOT NULL,
    section        text NOT NULL,
    published_at   timestamptz NOT NULL,
    -- First day of the month of publication in Korea (UTC+9): the partition of the newest body.
    month          date NOT NULL,
    first_seen     timestamptz NOT NULL DEFAULT now(),
    -- Of title, byline and text; another value is another revision.
    content_sha256 text NOT NULL,
    revision       integer NOT NULL DEFAULT 1,
    -- Rights: under which licence, may it train a model, and how that is known (robots.txt, terms, page footer).
    licence        text NOT NULL,
    may_train      boolean NOT NULL,
    evidence       text NOT NULL,
    UNIQUE (source, native_id)
);

-- The order in which the corpus reads: it does not depend on who crawled what when.
CREATE INDEX article_reading ON article (source, published_at, native_id) WHERE may_train;

CREATE TABLE article_body (
    month      date NOT NULL,
    article_id bigint NOT NULL REFERENCES article (id) ON DELETE CASCADE,
    revision   integer NOT NULL,
    title      text NOT NULL,
    byline     text NOT NULL,
    body       text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (month, article_id, revision)
) PARTITION BY LIST (month);

CREATE TABLE article_body_default PARTITION OF article_body DEFAULT;

-- Gives a month a partition of its own and moves there what the default partition holds of it. True when it was made.
-- The locks are taken in the order in which a storing transaction takes them, so that the two cannot deadlock.
CREATE FUNCTION create_body_month(first_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := format('article_body_%s', to_char(first_day, 'YYYY_MM'));
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE article IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE article_body_default IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE article_body INCLUDING DEFAULTS)', name);
    EXECUTE format('INSERT INTO %I SELECT * FROM article_body_default WHERE month = %L', name, first_day);
    DELETE FROM article_body_default WHERE month = first_day;
    EXECUTE format('ALTER TABLE article_body ATTACH PARTITION %I FOR VALUES IN (%L)', name, first_day);
    RETURN true;
END
$$;
