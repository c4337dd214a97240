#!/bin/sh
# Makes the database at $PGDATA where there is none. The image does so in several steps, and takes what an interrupted
# first start has left for the whole: so it works beside the place, and what is done is moved there.
set -eu
[ ! -s "$PGDATA/PG_VERSION" ] || exit 0
for found in "$(dirname "$(dirname "$PGDATA")")"/*/docker/PG_VERSION; do
  [ ! -e "$found" ] || { echo "initialise: $found is of another major version; run pg_upgrade, then start again" >&2; exit 1; }
done
making="$PGDATA.making"
rm -rf "$making"
PGDATA="$making" docker-ensure-initdb.sh
sync
mv -T "$making" "$PGDATA"
echo "initialise: $PGDATA is made"
