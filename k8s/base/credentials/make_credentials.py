"""Makes Secret korbert-postgres with a password of its own; one that is there already stays as it is.

Standard library only: it runs in the crawler's image with the pod's own token.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

ACCOUNT = Path(os.environ.get("KORBERT_SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
SERVER = os.environ.get("KORBERT_API_SERVER", "https://kubernetes.default.svc")


def secret(password: str) -> dict[str, object]:
    """The Secret: what Postgres starts with, and the URL for its clients."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "korbert-postgres",
            "labels": {"app.kubernetes.io/name": "korbert", "app.kubernetes.io/part-of": "korbert"},
        },
        "type": "Opaque",
        "stringData": {
            "POSTGRES_PASSWORD": password,
            "DATABASE_URL": f"postgresql://korbert:{password}@korbert-postgres:5432/korbert",
            # As CloudNativePG reads an owner's.
            "username": "korbert",
            "password": password,
        },
    }


def create(body: dict[str, object]) -> int:
    """Asks the API server to create it; answers the HTTP status."""
    namespace = (ACCOUNT / "namespace").read_text().strip()
    request = urllib.request.Request(
        f"{SERVER}/api/v1/namespaces/{namespace}/secrets",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}",
            "Content-Type": "application/json",
        },
        method="POST",
    )
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")) if SERVER.startswith("https") else None
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def main() -> int:
    """0: it was made or is there; 1: refused or unreachable, and the Job tries again."""
    try:
        status = create(secret(secrets.token_hex(32)))
    except OSError as error:
        print(f"credentials: {SERVER} cannot be reached ({error}); the Job tries again", file=sys.stderr)
        return 1
    if status == 409:
        print("credentials: Secret korbert-postgres is there, and stays")
        return 0
    if status == 201:
        print("credentials: Secret korbert-postgres made")
        return 0
    print(f"credentials: the API server answered {status}; see Role korbert-credentials", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
