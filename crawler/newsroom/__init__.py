"""A local news site played from a JSON Lines file: search API, list pages, two article layouts, robots.txt."""
