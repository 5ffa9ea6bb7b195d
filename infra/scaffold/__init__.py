"""Makes a pipeline of one's own out of a file that it looks at: `make new`."""
