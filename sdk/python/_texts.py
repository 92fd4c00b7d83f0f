"""Texts on their way to the host, which has them in UTF-8: the toolchain's own code ends the plugin where one is not."""

from __future__ import annotations


def utf8(text: str) -> str:
    """The text, if it can be written in UTF-8. Raises `ValueError` otherwise."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{text!r} has half of a surrogate pair in it, which is no character; leave it out") from None
    return text


def made_utf8(text: str) -> str:
    """The text with question marks in place of what can't be written in UTF-8."""
    return text if text.isascii() else text.encode(errors="replace").decode()
