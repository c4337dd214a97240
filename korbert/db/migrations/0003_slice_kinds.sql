-- More kinds of slices: a section's list (section), feeds and sitemaps (feed), open-data APIs (api), archive files
-- (file); windows that are a day; lists whose next page is named by a cursor and not by its number.

ALTER TABLE slice
    DROP CONSTRAINT slice_kind_check,
    ADD CONSTRAINT slice_kind_check CHECK (kind IN ('search', 'list', 'section', 'feed', 'api', 'file')),
    DROP CONSTRAINT slice_month_check,
    ADD CONSTRAINT slice_month_check CHECK (month = '' OR month ~ '^\d{4}-\d{2}(-\d{2})?$'),
    -- Part of the key: a list that grew hands out new cursors, and the pages they name have not been read yet.
    ADD COLUMN cursor text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(cursor) <= 500),
    -- Queries that a capped search was split into.
    ADD COLUMN split_into text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT slice_source_kind_query_month_page_key,
    ADD CONSTRAINT slice_key UNIQUE (source, kind, query, month, page, cursor);
