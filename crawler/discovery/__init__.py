"""How a source's articles are found: a module a kind of question, pure, with addresses and selectors as its data."""
