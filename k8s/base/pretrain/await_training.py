"""Waits until PyTorchJob korbert-pretrain has succeeded. Standard library only, with the pod's own token."""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ACCOUNT = Path(os.environ.get("KORBERT_SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
SERVER = os.environ.get("KORBERT_API_SERVER", "https://kubernetes.default.svc")
POLL = float(os.environ.get("KORBERT_POLL_SECONDS", "30"))
JOB = "korbert-pretrain"


def verdict(job: dict[str, Any]) -> str:
    """Succeeded or Failed, by the job's conditions; empty while it is at work."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition["type"] in ("Succeeded", "Failed") and condition["status"] == "True":
            return str(condition["type"])
    return ""


def read() -> dict[str, Any]:
    """The job as the API server knows it."""
    namespace = (ACCOUNT / "namespace").read_text().strip()
    # Read each time: the kubelet renews the token.
    request = urllib.request.Request(
        f"{SERVER}/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs/{JOB}",
        headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}"},
    )
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if SERVER.startswith("https") else None
    with urllib.request.urlopen(request, timeout=30, context=context) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def main() -> int:
    """0: trained; 1: the job failed for good, or this pod may not read it."""
    while True:
        try:
            found = verdict(read())
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                print(f"training: the API server answered {error.code}; see Role korbert-export", file=sys.stderr)
                return 1
            # 404: not applied yet, or deleted to be applied anew.
            found = ""
        except OSError as error:
            print(f"training: {SERVER} cannot be reached ({error}); asking again", file=sys.stderr)
            found = ""
        if found:
            print(f"training: PyTorchJob {JOB}: {found}", file=sys.stderr)
            return 0 if found == "Succeeded" else 1
        time.sleep(POLL)


if __name__ == "__main__":
    sys.exit(main())
