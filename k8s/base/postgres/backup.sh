#!/bin/sh
# Dumps the database, reads the dump back, and only then removes dumps older than BACKUP_DAYS.
set -eu
file="$BACKUP_FOLDER/korbert-$(date -u +%Y%m%dT%H%M%SZ).dump"
trap 'rm -f "$file.part"' EXIT
pg_dump --format=custom --no-owner --file="$file.part" --dbname="$DATABASE_URL"
# Every block is unpacked: a dump that cannot be restored is found tonight, not on the day it is needed.
pg_restore --file=/dev/null "$file.part"
mv "$file.part" "$file"
find "$BACKUP_FOLDER" -name 'korbert-*.dump' -mtime "+$BACKUP_DAYS" -delete
echo "backup: $file ($(wc -c < "$file") bytes)"
