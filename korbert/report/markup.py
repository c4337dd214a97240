"""HTML and SVG elements as text, escaped by construction: only what `tag` made passes as markup."""

from __future__ import annotations

import html

_VOID = frozenset({"meta", "input", "br", "hr"})


class Markup(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


def escaped(value: object) -> Markup:
    """`value` as markup: unchanged when it is markup, else its text with the five special characters escaped."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def joined(*children: object) -> Markup:
    """The children one after another; None is nothing."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element.

    An attribute's trailing underscore falls away (`class_`), other underscores become hyphens (`aria_label`);
    None and False leave the attribute out, True writes its bare name.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        parts.append(shown if value is True else f'{shown}="{html.escape(str(value))}"')
    opening = " ".join(parts)
    if name in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(*children)}</{name}>")
