"""torchx's components `korbert.crawl`, `korbert.pretrain`, `korbert.finetune` and `korbert.tune`.

torchx takes every function of this module for a component, reads annotations as they stand (so: plain types, no
`from __future__ import annotations`) and the help from the docstrings.
"""

from torchx.specs import AppDef

from korbert.launch import words

_CRAWLER = words.image("korbert-crawler")
_TRAIN = words.image("korbert-train-gpu")
_TUNE = words.image("korbert-tune")


def crawl(
    recipe: str = "tiny",
    workspace: str = "",
    source: str = "",
    since: str = "",
    until: str = "",
    articles: str = "",
    limit: str = "",
    settings: str = "",
    image: str = _CRAWLER,
    cpu: int = 1,
    memory: int = 2048,
    claim: str = "korbert-data",
) -> AppDef:
    """Crawls news into Postgres.

    Args:
        recipe: names the run's configuration; without --source its own newsroom is crawled
        workspace: folder of the run; default runs/RECIPE
        source: a real source, see `python -m crawler sources`; the workspace must hold a configuration
        since: first month or day, like 2015-01
        until: last month or day, included
        articles: file of articles for the newsroom, .jsonl or packed; without --source only
        limit: only the first so many articles; without --source only
        settings: fields of the recipe to change, like crawl.delay=0.5,crawl.concurrency=4
        image: container image
        cpu: cores
        memory: MB
        claim: persistent volume claim that is mounted at /data
    """
    folder = workspace or f"runs/{words.known_recipe(recipe)}"
    if source:
        command = ["crawler", "crawl", "--workspace", folder, *words.given(source=source, since=since, until=until)]
    else:
        changed = words.several(settings, "--set") + words.several(f"crawl.since={since}" if since else "", "--set")
        changed += words.several(f"crawl.until={until}" if until else "", "--set")
        options = words.given(articles=articles, limit=limit)
        command = ["korbert", "run", recipe, "--to", "crawl", "--workspace", folder, *options, *changed]
    return words.app(words.role("crawl", ["python", "-m", *command], image, (cpu, 0, memory), claim))


def pretrain(
    recipe: str = "tiny",
    workspace: str = "",
    nodes: str = "1",
    articles: str = "",
    corpus: str = "",
    limit: str = "",
    settings: str = "",
    image: str = _TRAIN,
    cpu: int = 4,
    gpu: int = 0,
    memory: int = 8192,
    retries: int = 3,
    claim: str = "korbert-data",
) -> AppDef:
    """Pre-trains; on one node every stage before it that is missing or stale is made first.

    Args:
        recipe: one of `korbert config list`
        workspace: folder of the run; default runs/RECIPE on one node, /data/run on several
        nodes: "1", a number of pods, or a range like 1:8 that the job may shrink and grow in; several train what the workspace holds and need a scheduler that gives torchrun its rendezvous, as kubeflow does
        articles: file of articles to crawl, .jsonl or packed; one node only
        corpus: text or articles instead of a crawl, several by commas; one node only
        limit: only the first so many articles; one node only
        settings: fields of the recipe to change, like training.epochs=2,training.lr=1e-3; one node only
        image: container image
        cpu: cores a node
        gpu: GPUs a node
        memory: MB a node
        retries: how often what has failed is started again
        claim: persistent volume claim that is mounted at /data
    """  # noqa: E501 - torchx's parser of help takes one line an argument
    low, high = words.nodes(nodes)
    options = words.given(articles=articles, limit=limit) + words.several(corpus, "--corpus")
    options += words.several(settings, "--set")
    if high == 1:
        folder = workspace or f"runs/{words.known_recipe(recipe)}"
        command = ["python", "-m", "korbert", "run", recipe, "--to", "pretrain", "--workspace", folder, *options]
    else:
        words.refuse_options(options)
        # No --nnodes, no --rdzv: torchrun's own options would win over what the operator sets.
        command = ["torchrun", "-m", "korbert.training", "--workspace", workspace or f"{words.DATA}/run"]
    role = words.role("pretrain", command, image, (cpu, gpu, memory), claim)
    role.num_replicas, role.max_retries = high, retries
    role.min_replicas = low if high > 1 else None
    return words.app(role)


def finetune(
    model: str,
    task: str,
    data: str = "",
    output: str = "",
    settings: str = "",
    image: str = _TRAIN,
    cpu: int = 4,
    gpu: int = 0,
    memory: int = 8192,
    claim: str = "korbert-data",
) -> AppDef:
    """Fine-tunes an encoder on a benchmark and scores it.

    Args:
        model: folder that transformers loads, like runs/demo/export
        task: a benchmark, see `korbert finetune --help`
        data: folder with the task's files
        output: default scores/TASK
        settings: fields to change, like finetune.epochs=3,finetune.lr=1e-4
        image: container image
        cpu: cores
        gpu: GPUs
        memory: MB
        claim: persistent volume claim that is mounted at /data
    """
    options = words.given(data=data, output=output) + words.several(settings, "--set")
    command = ["python", "-m", "korbert", "finetune", model, task, *options]
    return words.app(words.role("finetune", command, image, (cpu, gpu, memory), claim))


def tune(
    workspace: str = "",
    tasks: str = "",
    model: str = "",
    data: str = "",
    trials: str = "",
    output: str = "",
    address: str = "",
    settings: str = "",
    image: str = _TUNE,
    cpu: int = 4,
    gpu: int = 0,
    memory: int = 8192,
    claim: str = "korbert-data",
) -> AppDef:
    """Sweeps the hyper-parameters of fine-tuning.

    Args:
        workspace: sweep what this run's configuration says; otherwise give tasks and model
        tasks: benchmarks, by commas
        model: folders of encoders to compare, by commas
        data: folders with the tasks' files, TASK=DIR by commas
        trials: settings tried
        output: default sweeps/TASK+TASK
        address: a Ray that runs, like auto or HOST:PORT
        settings: fields to change, like tune.epochs=2
        image: container image
        cpu: cores
        gpu: GPUs
        memory: MB
        claim: persistent volume claim that is mounted at /data
    """
    names = [name for name in tasks.split(",") if name]
    options = words.given(workspace=workspace, trials=trials, output=output, address=address)
    options += words.several(model, "--model") + words.several(data, "--data") + words.several(settings, "--set")
    command = ["python", "-m", "tune", *names, *options]
    return words.app(words.role("tune", command, image, (cpu, gpu, memory), claim))
