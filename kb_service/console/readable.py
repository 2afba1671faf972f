"""What is written for programs, as people read it: masks and placeholders as chips with words, languages by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from graph.expertise import expertise_id
from graph.labels import label_in
from graph.words import is_han
from kb_service.console.words import EN, ZH
from kb_service.replying.placeholders import PLACEHOLDER, blanks

MASK = re.compile(r"\[(?P<mask>[A-Z]{2,})\]")
BACK_TICKED = re.compile(r"`([^`]+)`")


def chips(text: str, language: str) -> Markup:
    """A text in which each mask of personal data and each placeholder is a chip with the reader's words for it; what
    stands there has its title."""
    runs = _runs(text, language)
    return Markup("").join(
        run if written is None else Markup('<span class="chip" title="{}">{}</span>').format(written, run)
        for run, written in runs
    )


def in_words(text: str, language: str) -> str:
    """The same where there can be no chips: in a title or an option."""
    return "".join(run if written is None else f"[{run}]" for run, written in _runs(text, language))


def shortened(text: str, most: int) -> str:
    """The begin of a text on one line, at most so many characters; no mask or placeholder is cut in two."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    begin = line[: most - 1]
    for opening, closing in ("[]", "{}"):
        if begin.rfind(opening) > begin.rfind(closing):
            begin = begin[: begin.rfind(opening)]
    return begin.rstrip() + "…"


def blank_name(name: str, language: str) -> str:
    """What a placeholder stands for, as the label of its field; the shop's own name where there are no words for it."""
    return _known(f"blank {name}", language) or name.replace("_", " ").replace(".", " ")


def name_in(names: Mapping[str, str], language: str, otherwise: str = "") -> Markup:
    """The name of a problem for a reader: theirs, else the one that there is, marked as of its own language."""
    name = in_language(names, language, otherwise)
    spoken = _spoken(name, names)
    if spoken == language:
        return Markup(escape(name))
    return Markup('<span lang="{}">{}</span>').format(spoken, name)


def in_language(texts: Mapping[str, str], language: str, otherwise: str = "") -> str:
    """A text that is kept by language, for a reader: theirs, else any that there is."""
    return texts.get(language) or next((text for text in texts.values() if text), otherwise)


def coded(text: str) -> Markup:
    """A text whose commands stand between back-ticks, with these as commands."""
    return Markup(BACK_TICKED.sub(r"<code>\1</code>", str(escape(text))))


def language_name(code: str, language: str) -> str:
    """A language by its name, others than the usual by their code."""
    return _known(f"language {code.partition('-')[0].lower()}", language) or code


def field_name(skill: str, names: Mapping[str, str], language: str) -> str:
    """What the expertise of a skill is called; `names` are those of clusters, by id."""
    return label_in(names.get(expertise_id(skill), skill), language)


def attribute_name(name: str, language: str) -> str:
    """A field of a document as people call it, such as those of exported resolutions; a file's own by its own name."""
    return _known(f"attribute {name}", language) or label_in(name, language)


def value_name(value: object, language: str) -> object:
    """The value of such a field, where it is one of a few."""
    return _known(f"outcome is {value}", language) or value


def _runs(text: str, language: str) -> list[tuple[str, str | None]]:
    """What stands between masks and placeholders, and the words for each of these beside what is written there."""
    to_fill_in = {written for ways in blanks(text).values() for written in ways}
    found = [(match.span(), _mask(match["mask"], language)) for match in MASK.finditer(text)]
    for match in PLACEHOLDER.finditer(text):
        if match.group() in to_fill_in:
            name = next(group for group in match.groups() if group is not None).strip()
            found.append((match.span(), _inside(blank_name(name, language))))
    runs: list[tuple[str, str | None]] = []
    place = 0
    for (start, stop), words in sorted(found):
        if words is not None and start >= place:
            runs += [(text[place:start], None), (words, text[start:stop])]
            place = stop
    return [*runs, (text[place:], None)]


def _mask(name: str, language: str) -> str | None:
    return _known(f"mask {name}", language)


def _known(key: str, language: str) -> str | None:
    return (ZH if language == "zh" else EN).get(key)


def _spoken(name: str, names: Mapping[str, str]) -> str:
    """The language of a name, which one without words in it borrows of another."""
    if any(map(is_han, name)):
        return "zh"
    return next((code for code, other in names.items() if other == name and code not in ("zh", "en")), "en")


def _inside(label: str) -> str:
    """A label as it stands inside a sentence."""
    return label[:1].lower() + label[1:]
