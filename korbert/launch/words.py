"""What torchx's components are written with.

Not in their own module: torchx takes every function of that one for a component.
"""

from __future__ import annotations

from torchx.specs import AppDef, Resource, Role, VolumeMount

import korbert
from korbert.errors import UsageError
from korbert.launch.connection import LaunchError

DATA = "/data"


def image(name: str) -> str:
    """Our image of this version."""
    return f"{name}:{korbert.__version__}"


def app(role: Role) -> AppDef:
    """An app of one role, of the same name."""
    return AppDef(name=f"korbert-{role.name}", roles=[role])


def role(name: str, words: list[str], image: str, size: tuple[int, int, int], claim: str) -> Role:
    """One pod of a command; `size`: cores, GPUs, MB of memory."""
    cpu, gpu, memory = size
    return Role(
        name=name,
        image=image,
        entrypoint=words[0],
        args=words[1:],
        env={"PYTHONUNBUFFERED": "1"},
        resource=Resource(cpu=cpu, gpu=gpu, memMB=memory),
        mounts=[VolumeMount(claim, DATA)] if claim else [],
    )


def nodes(text: str) -> tuple[int, int]:
    """Reads "4" or "1:8" as fewest and most.

    Raises:
        LaunchError: for anything else.
    """
    low, colon, high = text.partition(":")
    numbers = (low, high if colon else low)
    if not all(n.isdecimal() for n in numbers) or not 1 <= int(numbers[0]) <= int(numbers[1]):
        raise LaunchError(f"--nodes {text!r}: must be a number like 4 or a range like 1:8; write one of them")
    return int(numbers[0]), int(numbers[1])


def several(text: str, option: str) -> list[str]:
    """Reads "a,b" as `option a option b`."""
    return [word for value in text.split(",") if value for word in (option, value)]


def given(**options: str) -> list[str]:
    """Options with their values, without the empty ones; `base_url` is --base-url."""
    return [
        word for name, value in options.items() if value for word in (f"--{name.replace('_', '-')}", value)
    ]  # fmt: skip


def known_recipe(name: str) -> str:
    """The name itself.

    Raises:
        LaunchError: for a name that is none.
    """
    from korbert import recipes

    try:
        recipes.recipe(name)
    except UsageError as error:
        raise LaunchError(str(error)) from None
    return name


def refuse_options(options: list[str]) -> None:
    """Several nodes train the workspace as it is.

    Raises:
        LaunchError: where an option would be ignored.
    """
    if options:
        raise LaunchError(
            f"{' '.join(options)}: several nodes train what the workspace holds; leave it out, "
            "or make the workspace with it by `korbert config save` or a run on one node"
        )
