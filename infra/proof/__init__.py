"""`make proof`: docs/proof.md, of what a run of everything from an empty state has shown."""
