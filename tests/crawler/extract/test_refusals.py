import pytest
from parsel import Selector

from crawler.extract.refusals import refusal

PAGE = (
    "<html><head>{head}</head><body><p>정부는 AI 학습 데이터 무단 수집을 금지하는 법안을 냈다.</p>{body}</body></html>"
)


def of(head: str = "", body: str = "", **headers: str) -> str:
    html = PAGE.format(head=head, body=body)
    return refusal(Selector(text=html, type="html").root, {n.replace("_", "-"): v for n, v in headers.items()})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_robots_tag": "NoAI"}, "robots: NoAI"),
        ({"x_robots_tag": "noindex, otherbot: noimageai"}, "robots: noindex, otherbot: noimageai"),
        ({"tdm_reservation": "1"}, "tdm-reservation: 1"),
        ({"tdm_reservation": "0, 1"}, "tdm-reservation: 1"),
        ({"tdm_reservation": "0"}, ""),
        ({"x_robots_tag": "noindex, nofollow"}, ""),
        ({"x_robots_tag": "noaim"}, ""),
        ({}, ""),
    ],
)
def test_headers_may_refuse_training(headers: dict[str, str], expected: str) -> None:
    assert of(**headers) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('<meta name="robots" content="index, noai">', "robots: index, noai"),
        ('<META NAME="ROBOTS" CONTENT="NOIMAGEAI">', "robots: NOIMAGEAI"),
        ('<meta name="tdm-reservation" content="1">', "tdm-reservation: 1"),
        ('<meta name="description" content="noai">', ""),
    ],
)
def test_metas_may_refuse_training(head: str, expected: str) -> None:
    assert of(head) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<footer>ⓒ 한빛, 무단 전재-재배포, AI 학습 및 활용 금지</footer>", "AI 학습 및 활용 금지"),
        ("<div class=copyright>AI학습 이용 금지</div>", "AI학습 이용 금지"),
        ("<div class=foot>저작권자 © 한빛 무단전재·재배포 및 AI 학습 금지</div>", "AI 학습 금지"),
        ("<p>Copyright 한빛. 무단 전재, 재배포 및 <b>AI학습</b> 이용 금지</p>", "AI학습 이용 금지"),
        (
            "<p>무단 전재, 복사, 배포 및 인공지능(AI) 학습 데이터로의 이용을 금합니다.</p>",
            "인공지능(AI) 학습 데이터로의 이용을 금합니다",
        ),
        ("<address>생성형 AI 학습 등 활용을 금지합니다</address>", "생성형 AI 학습 등 활용을 금지합니다"),
        (
            "<footer>Use of this content for AI training is strictly prohibited.</footer>",
            "AI training is strictly prohibited",
        ),
        ("<p>법원은 AI 학습을 금지해 달라는 신청을 받아들이지 않았다.</p>", ""),
        ("<p>저작권법 개정안은 AI 학습에 쓰인 글의 값을 정한다.</p>", ""),
        ("<script>var notice = 'ⓒ AI 학습 금지';</script>", ""),
        ("<footer>무단 전재 및 재배포 금지</footer>", ""),
    ],
)
def test_a_notice_beside_the_copyright_refuses_and_news_about_such_bans_does_not(body: str, expected: str) -> None:
    assert of(body=body) == (f"footer: {expected}" if expected else "")
