"""The peer of `korbert bench pretrain`: transformers' own `Trainer` on `BertForPreTraining`, with dynamic padding.

What its documentation shows: batches of 16 a device, each padded to its longest sample, labels of -100 elsewhere, the
model's own loss. All else is `TrainingArguments`' default: AdamW as its `optim` names it, gradients clipped at 1, no
worker processes for the data, samples shuffled. It is given finished samples, segments and masks drawn, so its data
work is padding alone: less than ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import Tokenizer, models
from transformers import (
    BertConfig,
    BertForPreTraining,
    DataCollatorForTokenClassification,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.training_args import OptimizerNames

from korbert.bench.measure import Seconds
from korbert.config import ModelConfig
from korbert.data.loader import MicroBatch
from korbert.data.shards import TokenStore
from korbert.model.exchange import to_transformers, transformers_config
from korbert.model.pretraining import Pretraining
from korbert.training.device import Accelerator

BATCH = 16
Example = dict[str, Any]


class Peer:
    """A `Trainer` that trains a round at a time."""

    def __init__(
        self,
        model: Pretraining,
        shape: ModelConfig,
        store: TokenStore,
        attention_dropout: float,
        folder: str,
        accelerator: Accelerator,
    ) -> None:
        """From our model's weights.

        Args:
            model: ours.
            shape: its shape; hidden dropout is the shape's.
            store: the text, for its vocabulary.
            attention_dropout: dropout of attention weights. BERT's config has it as high as the hidden dropout.
            folder: where the Trainer may write; it saves nothing.
            accelerator: what ours trains on, and in which precision.
        """
        self.model = peer_model(model, shape, store, attention_dropout)
        self._clock = _Clock(accelerator)
        self._trainer = Trainer(
            model=self.model,
            args=TrainingArguments(
                output_dir=folder, per_device_train_batch_size=BATCH, num_train_epochs=1,
                use_cpu=accelerator.kind == "cpu", bf16=accelerator.precision == "bf16",
                save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
                dataloader_pin_memory=False,
            ),
            data_collator=collator(store),
            callbacks=[self._clock],
        )  # fmt: skip
        self._trainer.remove_callback(PrinterCallback)

    @property
    def optimizer(self) -> str:
        """What `TrainingArguments` has as its optimiser."""
        return OptimizerNames(self._trainer.args.optim).value

    def train(self, examples: Sequence[Example]) -> Seconds:
        """One pass over the samples: from the making of the first batch to the end of the last step, without what
        `Trainer.train` sets up before and tells after."""
        self._trainer.train_dataset = list(examples)
        self._trainer.train()
        return self._clock.began.until(self._clock.ended)


class _Clock(TrainerCallback):
    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self.began = self.ended = Seconds(0, 0)

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self.began = self._now()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended = Seconds.now()

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        # A GPU may still be at work when its last step has been asked for.
        self.ended = self._now() if self._accelerator.kind != "cpu" else self.ended

    def _now(self) -> Seconds:
        self._accelerator.synchronize()
        return Seconds.now()


def peer_model(
    model: Pretraining, shape: ModelConfig, store: TokenStore, attention_dropout: float
) -> BertForPreTraining:
    """transformers' model with our weights, in training mode."""
    fields = transformers_config(shape, store.vocab_size, store.special.pad)
    fields |= {"hidden_dropout_prob": shape.dropout, "attention_probs_dropout_prob": attention_dropout}
    peer = BertForPreTraining(BertConfig(**fields))
    peer.load_state_dict(to_transformers(model.state_dict(), shape), strict=False)
    peer.tie_weights()
    peer.train()
    return peer


def examples(batches: Sequence[MicroBatch]) -> list[Example]:
    """The samples of micro-batches as a tokenised data set holds them, masks drawn; -100: not to be predicted."""
    return [example for batch in batches for example in _examples(batch)]


def _examples(batch: MicroBatch) -> list[Example]:
    labels = torch.full((len(batch.tokens),), -100)
    labels[torch.from_numpy(batch.masked)] = torch.from_numpy(batch.labels)
    parts = [torch.from_numpy(batch.tokens), torch.from_numpy(batch.segments), labels]
    split = [part.split(batch.lengths) for part in parts]  # type: ignore[no-untyped-call]
    return [
        {
            "input_ids": tokens.tolist(),
            "token_type_ids": segments.tolist(),
            "labels": targets.tolist(),
            "next_sentence_label": int(swapped),
        }
        for tokens, segments, targets, swapped in zip(*split, batch.swapped, strict=True)
    ]


def collator(store: TokenStore) -> DataCollatorForTokenClassification:
    """transformers' collator that pads a batch, labels too, to its longest sample."""
    # All it asks of a tokenizer is the padding; no text is read.
    names = {store.special.pad: "[PAD]", store.special.unk: "[UNK]"}
    entries = {names.get(number, str(number)): number for number in range(store.vocab_size)}
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer(models.WordLevel(entries, unk_token="[UNK]")), pad_token="[PAD]", unk_token="[UNK]"
    )
    return DataCollatorForTokenClassification(tokenizer)
