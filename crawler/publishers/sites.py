"""Any site, by its sitemap or feeds: named by `--base-url`, its feeds by the crawl's queries (`/rss.xml`).

Nobody has read an unknown site's terms, so it is refused until the operator records a permission for source `site`.
Politeness and robots.txt are as for every source; a page's own refusal of AI training stands before any permission.
"""

from __future__ import annotations

from datetime import date

from crawler.discovery.feeds import Feeds
from crawler.publishers.source import Politeness, Rights, Source

# The host is part of the id: many sites share this source. Marks of where a reader came from are not.
_QUERY = r"\?(?!utm_|fbclid=)[^#]+"
_ADDRESS = rf"^https?://(?P<office>[^/?#]+)/(?P<id>[^?#]*[^/?#](?:/?{_QUERY})?|{_QUERY})"

SOURCE = Source(
    name="site",
    hosts=(),
    discoveries=(Feeds(),),
    articles=(_ADDRESS,),
    layouts=(),
    rights=Rights(
        robots="not known; the live file decides",
        terms="not known",
        licence="copyright of the site",
        ai_opt_out="each page's own",
        may_collect=False,
        may_train=False,
        evidence="nobody has read the site's terms",
        checked=date(2026, 11, 1),
    ),
    politeness=Politeness(delay=2.0),
    strip=True,
)
