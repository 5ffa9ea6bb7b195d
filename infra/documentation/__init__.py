"""`make docs`: the repository's Markdown as a site, with the source files that it links to, and tables of the code."""
