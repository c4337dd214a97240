"""Network policies let each declared flow through, and nothing else."""

from __future__ import annotations

import itertools

import pytest

from .tree import OVERLAYS, Object, pods, snapshot

# Who asks whom by which port. Components of our pods.
FLOWS = {
    ("crawl", "postgres", 5432), ("corpus", "postgres", 5432),
    ("backup", "postgres", 5432), ("crawl", "newsroom", 8000),
    ("pretrain", "pretrain", 23456), ("pretrain", "pretrain", 40000),
    ("tune", "tune", 5432), ("tune", "tune", 6379), ("tune", "tune", 8000), ("tune", "tune", 8265),
    ("tune", "tune", 23456), ("tune", "tune", 40000),
    ("pretrain", "pretrain", 5432), ("pretrain", "pretrain", 6379), ("pretrain", "pretrain", 8000),
    ("pretrain", "pretrain", 8265),
}  # fmt: skip
PORTS = (5432, 6379, 8000, 8265, 23456, 40000)
INTERNET = {"crawl"}
API = {"credentials", "export", "tune"}


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", ())
    assert all(rule["operator"] == "In" for rule in among)
    return all(labels.get(k) == v for k, v in wanted.items()) and all(
        labels.get(r["key"]) in r["values"] for r in among
    )


def _rules(found: list[Object], labels: dict[str, str], way: str) -> list[Object] | None:
    """The rules for a pod in one direction; None where no policy selects it and all is open."""
    policies = [
        one["spec"]
        for one in found
        if one["kind"] == "NetworkPolicy"
        and way.capitalize() in one["spec"]["policyTypes"]
        and _selects(one["spec"]["podSelector"], labels)
    ]
    return [rule for policy in policies for rule in policy.get(way, ())] if policies else None


def _opens(rules: list[Object] | None, peer: str, other: dict[str, str], port: int) -> bool:
    """Whether a rule lets a pod of our own namespace and this port through; `peer` is `from` or `to`."""
    if rules is None:
        return True
    return any(
        any(
            _selects(e["podSelector"], other) for e in rule[peer] if "podSelector" in e and "namespaceSelector" not in e
        )
        and ("ports" not in rule or port in [p["port"] for p in rule["ports"]])
        for rule in rules
        if peer in rule
    )


def _by_component(found: list[Object]) -> dict[str, list[dict[str, str]]]:
    grouped: dict[str, list[dict[str, str]]] = {}
    for _, template in pods(found):
        labels = template["metadata"]["labels"]
        grouped.setdefault(labels["app.kubernetes.io/component"], []).append(labels)
    return grouped


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_exactly_the_declared_flows_are_open(overlay: str) -> None:
    found = snapshot(overlay)
    grouped = _by_component(found)
    opened = {
        (source, target, port)
        for source, target, port in itertools.product(grouped, grouped, PORTS)
        for one, other in itertools.product(grouped[source], grouped[target])
        if _opens(_rules(found, one, "egress"), "to", other, port)
        and _opens(_rules(found, other, "ingress"), "from", one, port)
    }
    assert opened == {flow for flow in FLOWS if flow[1] in grouped}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_crawlers_reach_the_internet_and_only_pods_with_a_token_the_api(overlay: str) -> None:
    found = snapshot(overlay)
    public, api = set(), set()
    for name, members in _by_component(found).items():
        rules = [rule for labels in members for rule in _rules(found, labels, "egress") or ()]
        if any("ipBlock" in peer for rule in rules for peer in rule.get("to", ())):
            public.add(name)
        if any("to" not in rule for rule in rules):
            api.add(name)
    assert (public, api) == (INTERNET, API)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_may_ask_for_names_and_is_closed_otherwise(overlay: str) -> None:
    found = snapshot(overlay)
    for owner, template in pods(found):
        labels = template["metadata"]["labels"]
        egress = _rules(found, labels, "egress")
        assert egress is not None, owner
        assert _rules(found, labels, "ingress") is not None, owner
        assert any(port["port"] == 53 for rule in egress for port in rule.get("ports", ())), owner
