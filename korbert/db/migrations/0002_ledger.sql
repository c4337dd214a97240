-- The crawl ledger: every piece of work, who owns it until when, and what came of it.

CREATE TABLE slice (
    id           bigserial PRIMARY KEY,
    source       text COLLATE "C" NOT NULL CHECK (source <> ''),
    kind         text NOT NULL CHECK (kind IN ('search', 'list')),
    query        text COLLATE "C" NOT NULL,
    month        text NOT NULL CHECK (month = '' OR month ~ '^\d{4}-\d{2}$'),
    page         integer NOT NULL CHECK (page >= 1),
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'leased', 'done', 'capped', 'failed')),
    worker       text NOT NULL DEFAULT '',
    leased_until timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    -- How many results the source says there are; null where it does not say.
    total        bigint,
    seen         bigint NOT NULL DEFAULT 0,
    error        text NOT NULL DEFAULT '',
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, kind, query, month, page),
    CHECK ((state = 'leased') = (leased_until IS NOT NULL))
);

CREATE INDEX slice_open ON slice (source, attempts, id) WHERE state IN ('pending', 'leased');

-- Calls of a source's API in a day of Korea (UTC+9), over all crawlers.
CREATE TABLE api_budget (
    source text NOT NULL,
    day    date NOT NULL,
    calls  integer NOT NULL,
    PRIMARY KEY (source, day)
);
