"""What the small languages of CloudWatch's expressions begin with: a text, cut into its tokens."""

import re


def cut(text: str, token: re.Pattern[str], error: type[Exception]) -> list[tuple[str, str]]:
    """Of each token the name of the group of `token` that has matched, and what that is; `error` with what can't be
    read where none does."""
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = token.match(text, position)
        if not match or not match.lastgroup:
            raise error(f"'{text[position:].strip()[:20]}' can't be read")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens
