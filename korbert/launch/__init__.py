"""Starting stages on other machines: the manifests of Kubernetes' jobs, and torchx's components and scheduler."""
