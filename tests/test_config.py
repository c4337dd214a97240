"""Configs are checked where they are built, overridden by texts, and printed whole."""

import dataclasses
import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from korbert import recipes
from korbert.config import (
    Config,
    CrawlConfig,
    DataConfig,
    ModelConfig,
    TokenizerConfig,
    TrainingConfig,
    as_toml,
    field_docs,
    from_dict,
    overridden,
    to_dict,
)
from korbert.errors import UsageError

SECTIONS = [f.default_factory for f in dataclasses.fields(Config) if f.default_factory is not dataclasses.MISSING]
ALL = [pytest.param(make(), id=name) for name, make in recipes.RECIPES.items()]


@pytest.mark.parametrize("section", [Config, *SECTIONS])
def test_every_field_has_a_docstring(section: type) -> None:
    assert list(field_docs(section)) == [
        f.name for f in dataclasses.fields(section) if section is not Config or f.name in ("recipe", "seed")
    ]
    assert all(len(doc) > 10 for doc in field_docs(section).values())


@pytest.mark.parametrize("config", ALL)
def test_a_config_survives_json(config: Config) -> None:
    assert from_dict(Config, json.loads(json.dumps(to_dict(config)))) == config


@pytest.mark.parametrize("config", ALL)
def test_the_printed_toml_holds_every_value(config: Config) -> None:
    assert from_dict(Config, tomllib.loads(as_toml(config))) == config


def test_base_has_bert_base_shape_and_a_32k_vocabulary() -> None:
    config = recipes.recipe("base")
    assert config.model == ModelConfig(12, 768, 12, 3072, 512, 0.1)
    assert config.tokenizer.vocab_size == 32_000


@pytest.mark.parametrize(
    ("assignment", "read", "value"),
    [
        ("training.lr=3e-4", lambda c: c.training.lr, 3e-4),
        ("training.lr=1", lambda c: c.training.lr, 1.0),
        ("seed=7", lambda c: c.seed, 7),
        ("training.global_batch=1_024", lambda c: c.training.global_batch, 1024),
        ("corpus.mask_pii=False", lambda c: c.corpus.mask_pii, False),
        ("crawl.queries=서울, 부산", lambda c: c.crawl.queries, ("서울", "부산")),
        ("finetune.seeds=4,5", lambda c: c.finetune.seeds, (4, 5)),
        ("tracking.project=a=b", lambda c: c.tracking.project, "a=b"),
    ],
)
def test_an_assignment_sets_a_field_of_its_type(assignment: str, read, value: object) -> None:
    config = overridden(recipes.tiny(), [assignment])
    assert read(config) == value
    assert type(read(config)) is type(value)


def test_assignments_are_checked_together_so_their_order_does_not_matter() -> None:
    long = ["data.max_tokens=256", "model.max_positions=256", "training.row_tokens=256"]
    assert overridden(recipes.tiny(), long) == overridden(recipes.tiny(), long[::-1])


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.lr=fast", "training.lr = 'fast': must be a number"),
        ("training.lr=nan", "training.lr = nan: must be a finite number"),
        ("training.lr=-1", "training.lr = -1.0: must be more than 0"),
        ("training.learning_rate=1", "training.learning_rate: there is no such field"),
        ("trainin.lr=1", "trainin: there is no such field; did you mean training?"),
        ("training.epochs=1.5", "training.epochs = '1.5': must be a whole number"),
        ("training=1", "training: is a section"),
        ("seed.x=1", "seed.x: seed is a value, not a section"),
        ("training.lr", "must be written section.field=value"),
        ("corpus.mask_pii=maybe", "must be true or false"),
        ("model.heads=3", "model.heads = 3: must divide model.hidden = 128"),
        ("data.max_tokens=512", "data.max_tokens = 512: must fit model.max_positions = 128"),
        ("finetune.seeds=", "needs at least one seed"),
        ("finetune.patience=-1", "finetune.patience = -1: must be 0"),
        ("finetune.class_weights=some", "finetune.class_weights = 'some': must be none or balanced"),
        ("finetune.seeds=1,1", "must not repeat"),
        ("finetune.task=squad", "finetune.task = 'squad': must be one of: klue-mrc, klue-ner, klue-nli"),
        ("finetune.task=ner", "finetune.data = '': must name the folder with the files of task ner"),
        ("crawl.until=2004-12", "must not be after crawl.until"),
        ("crawl.since=2016-13", "must be a month written YYYY-MM"),
        ("crawl.since=2016-02-30", "or a day written YYYY-MM-DD"),
        ("crawl.since=20160201", "must be a month written YYYY-MM"),
        ("tracking.mode=loud", "must be one of: auto, online, offline, disabled"),
        ("recipe=a/b", "must be a plain name"),
        ("tokenizer.kind=char", "tokenizer.kind = 'char': must be one of: word, wordpiece, bpe, unigram"),
        ("tokenizer.segmentation=khaiii", "must be one of: whitespace, mecab, kiwi"),
        ("tokenizer.analyse=always", "needs tokenizer.segmentation = mecab or kiwi"),
        ("tokenizer.vocab_size=100", "tokenizer.vocab_size = 100: must be 256 to 1000000"),
        ("tokenizer.limit_alphabet=8000", "must be at least 1 and less than tokenizer.vocab_size = 8000"),
    ],
)
def test_a_wrong_assignment_names_field_value_and_rule(assignment: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        overridden(recipes.tiny(), [assignment])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: CrawlConfig(page_size=101), "crawl.page_size"),
        (lambda: DataConfig(mask_rate=0.0), "data.mask_rate"),
        (lambda: DataConfig(mask_rate_end=1.0), "data.mask_rate_end"),
        (lambda: DataConfig(ngram=0), "data.ngram"),
        (lambda: DataConfig(mask_unit="syllable"), "data.mask_unit = 'syllable': must be one of: eojeol, morpheme"),
        (lambda: DataConfig(mask_unit="morpheme", whole_words=False), "data.mask_unit"),
        (lambda: TrainingConfig(evaluate_every=-1), "training.evaluate_every"),
        (lambda: TrainingConfig(hang_timeout=-1), "training.hang_timeout = -1: must be 0 or more"),
        (lambda: TrainingConfig(grace_seconds=0), "training.grace_seconds = 0: must be more than 0"),
        (lambda: DataConfig(keep_rate=0.6, random_rate=0.6), "data.random_rate"),
        (lambda: TrainingConfig(schedule="step"), "training.schedule"),
        (lambda: TrainingConfig(optimizer="sgd"), "training.optimizer"),
        (lambda: TrainingConfig(schedule="wsd", warmup=0.3, decay=0.8), "training.decay"),
        (lambda: TrainingConfig(ema=1.0), "training.ema"),
        (lambda: TrainingConfig(compile=True), "training.compile = True: wants training.static_shapes = True"),
        (lambda: TrainingConfig(epochs=2, short_epochs=2), "training.short_epochs"),
        (lambda: Config("x", training=TrainingConfig(epochs=2, short_epochs=1, short_tokens=512)), "short_tokens"),
        (lambda: TrainingConfig(batch_ramp=0.1), "training.batch_start = 0: must be 1 to below"),
        (lambda: TrainingConfig(batch_ramp=0.1, batch_start=256), "training.batch_start"),
        (lambda: TrainingConfig(batch_start=8), "training.batch_start = 8: has no meaning without training.batch_ramp"),
        (lambda: TrainingConfig(global_batch=0), "training.global_batch"),
        (lambda: TokenizerConfig(kind="bpe", vocab_size=511, limit_alphabet=9), "512 to .* entries are bytes"),
    ],
)
def test_a_section_is_checked_where_it_is_built(build, field: str) -> None:
    with pytest.raises(UsageError, match=field):
        build()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"recipe": 3}, "recipe = 3: must be a text"),
        ({"recipe": "x", "seed": True}, "seed = True: must be a whole number"),
        ({"recipe": "x", "crawl": 1}, "crawl = 1: must be a section"),
        ({"recipe": "x", "crawl": {"queries": "a"}}, "crawl.queries = 'a': must be a list"),
        ({"recipe": "x", "crawl": {"query": []}}, "crawl.query: there is no such field; did you mean queries?"),
    ],
)
def test_a_config_file_with_wrong_types_is_refused(values: dict, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_dict(Config, values)
    assert message in str(caught.value)


@given(st.text(max_size=30))
def test_any_assignment_is_taken_or_refused_with_one_line(text: str) -> None:
    try:
        overridden(recipes.tiny(), [text])
    except UsageError as error:
        assert str(error)


def test_an_unknown_recipe_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"'bert': there is no such recipe; there are: demo, tiny, small, base"):
        recipes.recipe("bert")
