"""Marks the root of a project; it is never run."""
