"""The newsroom's HTML: list pages, and article pages in the markup of n.news.naver.com and of the layout before 2020.

Pure: articles in, HTML text out. The surroundings (menus, adverts, captions, scripts, comments, related links, footers)
are there because an extractor that cannot leave them out is no extractor.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from crawler.newsroom.articles import NewsArticle

LINKS_A_PAGE = 30

_MENU = "".join(
    f'<li><a href="/section/{i}">{name}</a></li>' for i, name in enumerate(("정치", "경제", "사회", "문화"))
)
_HEAD = '<!DOCTYPE html>\n<html lang="ko">\n<head>\n<meta charset="{charset}">\n<title>{title}</title>\n'
_ADVERT = (
    '<div class="ad_area" data-ad="inside"><script>window.adQueue.push({slot: "body", text: "<b>광고</b>"});</script>'
    '<a href="https://advert.invalid/?a=1&amp;b=2">광고: 오늘만 특가</a></div>'
)
_CAPTION = (
    '<span class="end_photo_org"><img src="/photo/{office}.jpg" alt="사진">'
    '<em class="img_desc">사진 설명입니다. {press} 제공</em></span>'
)


def path_of(article: NewsArticle) -> str:
    """The article's address below the site's root."""
    if article.legacy:
        return f"/main/read.naver?mode=LSD&oid={article.office}&aid={quote(article.id, safe='')}"
    return f"/mnews/article/{article.office}/{quote(article.id, safe='')}"


def page_of(article: NewsArticle, root: str, related: Sequence[NewsArticle] = ()) -> bytes:
    """The article's page; `root` is the site's address without a slash at its end.

    Legacy pages are EUC-KR, as they were: what that cannot hold becomes a character reference.
    """
    if article.legacy:
        return _legacy(article, root, related).encode("cp949", "xmlcharrefreplace")
    return _current(article, root, related).encode()


def charset_of(article: NewsArticle) -> str:
    """The charset that goes into the page's Content-Type."""
    return "euc-kr" if article.legacy else "utf-8"


def list_page(month: str, page: int, articles: Sequence[NewsArticle]) -> str:
    """One list page of a month's articles (newest first). A page past the end shows the last one again."""
    last = max(1, -(-len(articles) // LINKS_A_PAGE))
    page = min(page, last)
    rows = "".join(_row(a) for a in articles[(page - 1) * LINKS_A_PAGE : page * LINKS_A_PAGE])
    following = (
        f'<a class="next" rel="next" href="/list?month={month}&amp;page={page + 1}">다음</a>' if page < last else ""
    )
    return (
        _HEAD.format(charset="utf-8", title=f"{month} 기사 목록")
        + f'</head>\n<body><ul class="gnb">{_MENU}</ul>\n<ul class="type06_headline">\n{rows}</ul>\n'
        f'<div class="paging"><strong>{page}</strong>{following}</div>\n{_FOOTER}</body>\n</html>\n'
    )


def _row(article: NewsArticle) -> str:
    return (
        f'<li><dl><dt><a class="headline" href="{escape(path_of(article))}">{escape(article.title)}</a></dt>'
        f'<dd><span class="writing">{escape(article.press)}</span> '
        f'<span class="date">{article.published:%Y.%m.%d.}</span></dd></dl></li>\n'
    )


def _current(article: NewsArticle, root: str, related: Sequence[NewsArticle]) -> str:
    title, press = escape(article.title), escape(article.press)
    stamp = f"{article.published:%Y-%m-%d %H:%M:%S}"
    byline = f'<em class="media_end_head_journalist_name">{escape(article.byline)}</em>' if article.byline else ""
    return f"""{_HEAD.format(charset="utf-8", title=title)}{_canonical(article, root)}
<meta property="og:title" content="{title}">
<meta name="twitter:creator" content="{press}">
</head>
<body>
<header><ul class="Nlnb_menu_list">{_menu(article)}</ul></header>
<div id="ct" class="newsct_wrapper">
<div class="media_end_head go_trans">
<div class="media_end_head_top"><a href="/press/{article.office}"><img src="/logo.png" title="{press}"></a>
<em class="media_end_categorize_item">{escape(article.section)}</em></div>
<h2 id="title_area" class="media_end_head_headline"><span>{title}</span></h2>
<div class="media_end_head_info"><span class="media_end_head_info_datestamp_time _ARTICLE_DATE_TIME" \
data-date-time="{stamp}">{_spoken(article.published)}</span>{byline}
<a class="media_end_head_origin_link" href="/origin/{article.office}">기사원문</a></div>
</div>
<div id="newsct_article" class="newsct_article _article_body">
<article id="dic_area" class="go_trans _article_content">{_body(article)}</article>
</div>
<div class="copyright"><p class="c_text">Copyright ⓒ {press}. All rights reserved.</p></div>
<div class="u_cbox"><span class="u_cbox_contents">잘 읽었습니다 &lt;3</span></div>
<ul class="related_list">{_related(related)}</ul>
</div>
{_FOOTER}</body>
</html>
"""


def _legacy(article: NewsArticle, root: str, related: Sequence[NewsArticle]) -> str:
    title, press = escape(article.title), escape(article.press)
    byline = f'<p class="b_text">{escape(article.byline)}</p>' if article.byline else ""
    return f"""{_HEAD.format(charset="euc-kr", title=title)}{_canonical(article, root)}
</head>
<body>
<div id="lnb"><ul>{_menu(article)}</ul></div>
<div class="article_header">
<div class="press_logo"><a href="/press/{article.office}"><img src="/logo.gif" alt="{press}" title="{press}"></a></div>
<div class="article_info"><h3 id="articleTitle">{title}</h3>
<div class="sponsor"><span class="t11">{_spoken(article.published)}</span></div></div>
<em class="guide_categorization_item">{escape(article.section)}</em></div>
<div id="articleBody"><div id="articleBodyContents">
<!-- 본문 내용 -->
<script type="text/javascript">
// flash 오류를 우회하기 위한 함수 추가
function _flash_removeCallback() {{ if (1 < 2 && 3 > 2) return "<br>"; }}
</script>
{_body(article)}
<!-- // 본문 내용 -->
</div></div>
{byline}
<div class="copyright">ⓒ {press}. 무단 전재 및 재배포 금지</div>
<div class="cbox"><ul><li>댓글: 좋은 기사 &amp; 감사합니다</li></ul></div>
<ul class="related">{_related(related)}</ul>
{_FOOTER}</body>
</html>
"""


def _body(article: NewsArticle) -> str:
    """The paragraphs, parted by line breaks; the first one nested, a caption before, an advert in between."""
    first, *rest = (escape(paragraph) for paragraph in article.paragraphs)
    caption = _CAPTION.format(office=article.office, press=escape(article.press))
    head, middle = f"{caption}<strong><span>{first}</span></strong>", len(rest) // 2
    return "<br><br>\n".join([head, *rest[:middle], _ADVERT, *rest[middle:]]) if rest else head + _ADVERT


def _canonical(article: NewsArticle, root: str) -> str:
    return f'<link rel="canonical" href="{escape(root + path_of(article))}">'


def _menu(article: NewsArticle) -> str:
    return f'{_MENU}<li class="on"><a href="/section/now">{escape(article.section)}</a></li>'


def _related(articles: Sequence[NewsArticle]) -> str:
    return "".join(f'<li><a href="{escape(path_of(a))}">{escape(a.title)}</a></li>' for a in articles)


def _spoken(moment: datetime) -> str:
    return f"{moment:%Y.%m.%d.} {_half(moment)} {moment.hour % 12 or 12}:{moment:%M}"


def _half(moment: datetime) -> str:
    return "오전" if moment.hour < 12 else "오후"


_FOOTER = (
    '<footer id="footer"><a href="/policy">이용약관</a> <a href="/admin/">관리</a> '
    "<p>본 콘텐츠의 저작권은 제공처에 있으며, 이를 무단 이용하는 경우 법적 책임을 질 수 있습니다.</p></footer>\n"
)
