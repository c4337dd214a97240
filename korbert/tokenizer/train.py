"""Trains a WordPiece vocabulary on the corpus and publishes a folder that `transformers.AutoTokenizer` loads.

Decisions for Korean: case and accents are kept (they part words, and Hangul has neither), Hanja are words of one
character each, punctuation is split off, and words are what whitespace and punctuation leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from korbert import chain
from korbert.config import Config, TokenizerConfig
from korbert.corpus.documents import read_documents
from korbert.errors import UsageError
from korbert.progress import Meter, meter
from korbert.storage import Manifest, publishing, write_bytes, write_json
from korbert.tokenizer.alphabet import PREFIX, Alphabet, choose, count_eojeols, count_words

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Ids 0 to 4."""
LEAST = 256
"""Entries below which a vocabulary is of no use."""
SAMPLE = 2_000
"""Documents, evenly spread, on which the published rates are measured."""

TOKENIZER_FILE = "tokenizer.json"


def run(config: Config, workspace: chain.Workspace) -> Manifest:
    """Publishes the tokenizer artefact.

    Raises:
        UsageError: when the corpus is too small for a vocabulary of `LEAST` entries.
    """
    plan = chain.plan(config, workspace, "tokenizer")
    corpus, documents = workspace.path("corpus"), workspace.manifest("corpus").counts["documents"]
    with publishing(plan) as draft:
        with meter("tokenizer: documents counted", documents) as progress:
            words = count_words(blank(), count_eojeols(_sentences(corpus, progress)))
        with meter("tokenizer: documents learned from", documents) as progress:
            tokenizer = train(_sentences(corpus, progress), words, config.tokenizer)
        save(tokenizer, draft.path)
        every = max(1, documents // SAMPLE)
        sample = (s for document in islice(read_documents(corpus), 0, None, every) for s in document.sentences)
        draft.counts |= {"vocab_size_asked": config.tokenizer.vocab_size} | measure(tokenizer, sample)
        draft.licences |= workspace.manifest("corpus").licences
    return workspace.manifest("tokenizer")


def blank(vocabulary: Mapping[str, int] | None = None) -> Tokenizer:
    """The tokenizer around a vocabulary; without one it can be trained."""
    tokenizer = Tokenizer(models.WordPiece(dict(vocabulary or {}), unk_token="[UNK]", continuing_subword_prefix=PREFIX))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=PREFIX)
    return tokenizer


def train(sentences: Iterable[str], words: Mapping[str, int], config: TokenizerConfig) -> Tokenizer:
    """A tokenizer learned from `sentences`, whose word counts are `words`; the same input gives the same vocabulary.

    The vocabulary may stay smaller than asked for, never larger.

    Raises:
        UsageError: when it stays below `LEAST` entries.
    """
    alphabet = choose(words, config.limit_alphabet, config.vocab_size - len(SPECIAL))
    trainer = trainers.WordPieceTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        # Named as special tokens, characters get their numbers before the library numbers them in no fixed order.
        special_tokens=[*SPECIAL, *alphabet.tokens()],
        initial_alphabet=list(alphabet.first),
        limit_alphabet=len(alphabet.first),
        continuing_subword_prefix=PREFIX,
        show_progress=False,
    )
    learner = blank()
    learner.train_from_iterator(sentences, trainer)
    return assemble(_in_order(learner.get_vocab(), alphabet), config)


def assemble(vocabulary: Mapping[str, int], config: TokenizerConfig) -> Tokenizer:
    """The finished tokenizer: only the five special tokens are special, sentence pairs get token types 0 and 1."""
    if len(vocabulary) < LEAST:
        raise UsageError(
            f"tokenizer.vocab_size = {config.vocab_size}: the corpus gives {len(vocabulary)} entries and {LEAST} are "
            "the least; train on more text or lower tokenizer.min_frequency"
        )
    tokenizer = blank(vocabulary)
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the files that `transformers.AutoTokenizer.from_pretrained(folder)` reads, and `vocab.txt`."""
    named = {f"{name.strip('[]').lower()}_token": name for name in SPECIAL}
    settings: dict[str, Any] = {
        # The class decides what a call returns: PreTrainedTokenizerFast would give no token_type_ids.
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,
        "strip_accents": False,
        "tokenize_chinese_chars": True,
        "clean_up_tokenization_spaces": False,
    }
    vocabulary = tokenizer.get_vocab()
    write_bytes(folder / TOKENIZER_FILE, tokenizer.to_str(pretty=True).encode())
    write_bytes(
        folder / "vocab.txt", "".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.__getitem__)).encode()
    )
    write_json(folder / "tokenizer_config.json", settings | named)
    write_json(folder / "special_tokens_map.json", named)


def load(folder: Path) -> Tokenizer:
    """The tokenizer that `save` wrote.

    Raises:
        UsageError: when the file is missing or damaged.
    """
    path = folder / TOKENIZER_FILE
    try:
        return Tokenizer.from_str(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; run: korbert run --to tokenizer") from error
    except Exception as error:
        # The library raises bare Exception.
        raise UsageError(f"{path}: is no tokenizer ({error}); run: korbert run --from tokenizer") from error


def measure(tokenizer: Tokenizer, sentences: Iterable[str]) -> dict[str, Any]:
    """Size of the vocabulary, tokens a whitespace word, and the share of tokens that are [UNK]."""
    vocabulary = tokenizer.get_vocab()
    tokens = unknown = words = 0
    for sentence in sentences:
        ids = tokenizer.encode(sentence, add_special_tokens=False).ids
        tokens += len(ids)
        unknown += ids.count(vocabulary["[UNK]"])
        words += len(sentence.split())
    return {
        "vocab_size": len(vocabulary),
        "alphabet": sum(len(token) == 1 for token in vocabulary),
        "tokens_per_word": round(tokens / max(1, words), 4),
        "unknown_rate": round(unknown / max(1, tokens), 6),
    }


def _sentences(corpus: Path, progress: Meter) -> Iterator[str]:
    for document in read_documents(corpus):
        yield from document.sentences
        progress.advance()


def _in_order(learned: Mapping[str, int], alphabet: Alphabet) -> dict[str, int]:
    """Ids in reading order: special tokens, characters, characters inside words, then pieces as they were learned."""
    known = [*SPECIAL, *alphabet.tokens()]
    pieces = sorted(learned.keys() - set(known), key=learned.__getitem__)
    return {token: number for number, token in enumerate([*known, *pieces])}
