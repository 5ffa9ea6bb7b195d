"""The task groups of a DAG: each a function from the spec, and from what earlier groups hand on, to its tasks."""
