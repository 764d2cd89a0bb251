"""Personal data, shown so that its owner knows it again, and who looks over a shoulder does not.

The page may be open anywhere, and its picture be passed on. So what is hidden is hidden from
everybody, owners and staff included, and its length with it. It is no secret from whoever holds the
link of a guest's order: the link has the order's id, with which the API shows all of it.
"""

import re
import unicodedata

HIDDEN = "•••"
_SHORT = 2  # characters of which the first would be half of it, or all
_TOP_LEVEL = re.compile(r"[^\W\d_]{2,}|xn--[a-z0-9-]+", re.IGNORECASE)


def email(address: str) -> str:
    """Return an e-mail address as ``j•••@e•••.com``; what is no such address hidden whole."""
    local, at, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    if not (local and at and name and dot and _TOP_LEVEL.fullmatch(top)):
        return HIDDEN
    return f"{_begun(local)}@{_begun(name)}.{top}"


def city(name: str) -> str:
    """Return the town that an order goes to, whole: that is how people tell their addresses apart.

    Without street, name and postal code it finds nobody. Where digits stand in it somebody has
    typed more than a town, and it is hidden as the street is.
    """
    return HIDDEN if any(character.isdigit() for character in name) else name


def _begun(word: str) -> str:
    """Return the first letter of a word, with the accents that belong to it, and no more."""
    composed = unicodedata.normalize("NFC", word)
    if len(composed) <= _SHORT or not composed[0].isalnum():
        return HIDDEN
    length = 1
    while unicodedata.combining(composed[length]) and length < len(composed) - 1:
        length += 1
    return composed[:length] + HIDDEN
