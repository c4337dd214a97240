-- Where an article comes from and what became of it: the pages as they were fetched, what was taken out of them, what
-- had to be forgotten, and which corpora were made from what is stored.

ALTER TABLE article
    -- The page's own word on its last change; null where it says nothing.
    ADD COLUMN modified_at   timestamptz,
    -- The page's own address for itself; empty where it names none.
    ADD COLUMN canonical_url text NOT NULL DEFAULT '',
    -- The page's own refusal of AI training, quoted; empty: it has none.
    ADD COLUMN opt_out       text NOT NULL DEFAULT '';

-- [[reason, text], ...]: what the extractor took out of this revision's text.
ALTER TABLE article_body ADD COLUMN removed jsonb NOT NULL DEFAULT '[]';

-- Deleting an article deletes its bodies in all months; without this each partition would be read whole for it.
CREATE INDEX article_body_article ON article_body (article_id);

-- For counts by month, without reading the articles.
CREATE INDEX article_month ON article (source, month);

-- Article pages that a slice fetched, and those of them that could be read: their ratio falls when a layout changes.
ALTER TABLE slice
    ADD COLUMN fetched   bigint NOT NULL DEFAULT 0,
    ADD COLUMN extracted bigint NOT NULL DEFAULT 0;

-- Pages as they came, so that a better extractor reads them without asking the site again. The same bytes are kept once.
CREATE TABLE raw_page (
    id          bigserial PRIMARY KEY,
    source      text COLLATE "C" NOT NULL CHECK (source <> ''),
    native_id   text COLLATE "C" NOT NULL CHECK (native_id <> '' AND octet_length(native_id) <= 1000),
    -- Key of the crawler's sources: whose layouts read the page.
    publisher   text NOT NULL,
    url         text NOT NULL,
    fetched_at  timestamptz NOT NULL,
    status      integer NOT NULL,
    headers     jsonb NOT NULL,
    -- Of the body before compression.
    sha256      text NOT NULL,
    bytes       bigint NOT NULL,
    -- The body, as a zstd frame; null where the page lies in a file.
    content     bytea,
    -- WARC file, offset and length of the record in it; null where the page lies here.
    warc_file   text,
    warc_offset bigint,
    warc_length bigint,
    -- The extractor that read it last, and the layout that fitted; empty layout: none did.
    parser      text NOT NULL,
    layout      text NOT NULL,
    -- The rights it was fetched under.
    licence     text NOT NULL,
    may_train   boolean NOT NULL,
    evidence    text NOT NULL,
    UNIQUE (source, native_id, sha256),
    CHECK (num_nulls(warc_file, warc_offset, warc_length) = CASE WHEN content IS NULL THEN 0 ELSE 3 END)
);

-- It is compressed already.
ALTER TABLE raw_page ALTER COLUMN content SET STORAGE EXTERNAL;

-- The newest page of each article, in the order of re-reading.
CREATE INDEX raw_page_newest ON raw_page (source, native_id, fetched_at DESC, id DESC);

-- An address without what does not tell two pages apart: scheme, fragment, slash at the end.
CREATE FUNCTION page_address(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT rtrim(regexp_replace(regexp_replace(url, '^https?://', '', 'i'), '#.*$', ''), '/')
$$;

-- What had to go, and may never come back. A url is kept as page_address.
CREATE TABLE takedown (
    id       bigserial PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('url', 'press', 'id')),
    -- Empty: in every source.
    source   text COLLATE "C" NOT NULL,
    value    text COLLATE "C" NOT NULL CHECK (value <> ''),
    reason   text NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    -- Articles that were deleted, all calls together.
    articles bigint NOT NULL DEFAULT 0,
    UNIQUE (kind, value, source)
);

CREATE TABLE forgotten (
    source      text COLLATE "C" NOT NULL,
    native_id   text COLLATE "C" NOT NULL,
    takedown_id bigint NOT NULL REFERENCES takedown (id),
    PRIMARY KEY (source, native_id)
);

-- Corpora made from this database, so that a takedown finds those that hold what it deleted.
CREATE TABLE built_corpus (
    workspace   text NOT NULL,
    source      text COLLATE "C" NOT NULL,
    built_at    timestamptz NOT NULL DEFAULT now(),
    -- Null: it holds nothing that was deleted since.
    stale_since timestamptz,
    PRIMARY KEY (workspace, source)
);

-- The next moment at which anyone may ask a host: crawlers of all machines keep one delay.
CREATE TABLE host_turn (
    host    text PRIMARY KEY,
    next_at timestamptz NOT NULL
);

-- When a source was last crawled to its end.
CREATE TABLE crawl_mark (
    source       text COLLATE "C" PRIMARY KEY,
    -- The start of that crawl: what was published later may be missing.
    succeeded_at timestamptz NOT NULL
);

-- How far a file has been imported; the position is the reader's.
CREATE TABLE import_mark (
    source     text COLLATE "C" NOT NULL,
    file       text NOT NULL,
    position   bigint NOT NULL,
    articles   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, file)
);
