"""The crawler: news sites into Postgres, politely and resumably; and a local newsroom to crawl."""
