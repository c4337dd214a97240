"""What each overlay wants of a cluster: the numbers and names that `korbert cluster check` compares with what it finds.

The amounts follow the overlays in k8s/overlays.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE = "korbert"
CLAIM = "korbert-data"
SECRET = "korbert-postgres"
SECRET_KEYS = ("POSTGRES_PASSWORD", "DATABASE_URL")
"""What pods read of it."""
SOURCE_SECRET, SOURCE_KEY = "korbert-keys", "DATA_GO_KR_SERVICE_KEY"
"""Where the crawler finds the key of the source that overlays `gpu` and `tpu` ask."""
KUBERNETES = ((1, 32), (1, 37))
"""The oldest and the newest Kubernetes whose schemas the manifests are checked against."""

RWX_PROVISIONERS = (
    "filestore.csi.storage.gke.io",
    "nfs.csi.k8s.io",
    "efs.csi.aws.com",
    "fsx.csi.aws.com",
    "file.csi.azure.com",
    "cephfs.csi.ceph.com",
    "csi.weka.io",
    "driver.longhorn.io",
    "csi.vastdata.com",
)
"""Endings of provisioners whose volumes several nodes can write at once (ReadWriteMany), by their own documentation."""


@dataclass(frozen=True)
class Operator:
    """A third party that gives custom resources their meaning."""

    name: str
    image: str
    """The last parts of its image's name, without the tag."""
    version: str
    """What k8s/operators pins."""
    tag: str
    """The image's tag in that release's own manifests."""
    group: str
    resources: tuple[str, ...]


OPERATORS = (
    Operator("training-operator", "training-operator", "v1.9.4", "v1-93c5489", "kubeflow.org", ("pytorchjobs",)),
    Operator("kuberay-operator", "kuberay/operator", "v1.7.0", "v1.7.0", "ray.io", ("rayjobs", "rayclusters")),
)


@dataclass(frozen=True)
class Needs:
    """What one overlay wants."""

    shared_storage: bool
    """A ReadWriteMany volume; on one node a ReadWriteOnce one does."""
    accelerator: str
    """The nodes' resource; empty for CPUs."""
    accelerators: int
    """How many for the whole of pre-training's workers."""
    least: int
    """Below this many nothing starts: one worker, or a whole slice."""
    step: str
    """What to do when there are none."""
    source_key: bool = True
    """Whether its source wants a key; `local` asks a newsroom of its own."""


OVERLAYS = {
    "gpu": Needs(
        True, "nvidia.com/gpu", 4, 1,
        "add a node pool with NVIDIA GPUs and the device plug-in (one that scales from zero has no node until asked)",
    ),
    "tpu": Needs(
        True, "google.com/tpu", 16, 16,
        "add a TPU slice node pool (v6e 4x4: four hosts of four chips; one that scales from zero has no node yet)",
    ),
    "local": Needs(False, "", 0, 0, "", source_key=False),
}  # fmt: skip

RIGHTS = (
    ("", "configmaps"),
    ("", "persistentvolumeclaims"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("kubeflow.org", "pytorchjobs"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("ray.io", "rayjobs"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
)
"""Group and resource of what `kubectl apply -k` creates and patches in the namespace."""
