"""A measurement's own text: the first articles of a file, encoded and gone afterwards."""

from dataclasses import replace
from pathlib import Path

import pytest

from korbert import recipes
from korbert.bench.text import encoded
from korbert.data.shards import TokenStore
from korbert.errors import UsageError

ARTICLES = Path("crawler/newsroom/articles.jsonl")


def test_the_first_articles_of_a_file_become_tokens_and_are_gone_afterwards() -> None:
    config = recipes.demo()
    config = replace(config, tokenizer=replace(config.tokenizer, vocab_size=600, limit_alphabet=400))
    with encoded(config, ARTICLES, 40) as folder:
        store = TokenStore(folder)
        assert sum(shard.documents for shard in store.counts) <= 40
        assert store.tokens > 1000
    assert not folder.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"--text .*nothing.jsonl: there is no such file"),
        encoded(recipes.demo(), tmp_path / "nothing.jsonl"),
    ):
        pass
