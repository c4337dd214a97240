"""The cluster from inside a pod (gates between stages) and from a laptop (what it lacks, how far the stages are)."""
