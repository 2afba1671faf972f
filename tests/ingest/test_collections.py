"""Folders of knowledge: what is found, what is known of it, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest import readers
from ingest.collection_file import CONFIG, read_collection
from ingest.collections import SourceFile, Walk, walk
from ingest.documents import compose
from ingest.errors import InvalidDocument, SourceTooLarge, UnreadableSource, UnsupportedFormat
from ingest.models import Block, Extract

POLICIES = """
ignore = ["drafts", "*.bak.md", "sub/old.md"]
timezone = "Asia/Shanghai"

[defaults]
kind = "policy"
audience = "internal"

[files."returns.md"]
external_id = "policy-returns-zh"
title = "退货政策(2026 版)"
valid_from = 2026-03-01
valid_to = 2026-11-30
supersedes = ["policy-returns-zh-2025"]

[files."faq.csv"]
records = true
language = "zh"
id_template = "faq-{id}"
question = "{question}"
reply = "{answer}"
"""


def fill(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return fill(
        tmp_path / "policies",
        {
            CONFIG: POLICIES,
            "returns.md": "# 退货\n\n十五天。",
            "faq.csv": "id,question,answer\n1,a,b\n",
            "sub/notes.md": "Text.",
            "sub/old.md": "Old.",
            "drafts/new.md": "Draft.",
            "a.bak.md": "Backup.",
            ".hidden.md": "Hidden.",
            ".git/x.md": "Hidden.",
            "~$returns.docx": "Lock.",
        },
    )


def named(found: Walk) -> dict[str, SourceFile]:
    return {file.name: file for file in found.files}


def test_files_in_order_without_the_hidden_and_the_ignored(shop: Path) -> None:
    found = walk([shop])
    assert [file.name for file in found.files] == ["faq.csv", "returns.md", "sub/notes.md"]
    assert found.roots == (shop,)
    assert found.problems == ()
    assert all(file.path == shop / file.name for file in found.files)


def test_attributes_of_defaults_and_entry(shop: Path) -> None:
    files = named(walk([shop]))
    assert files["returns.md"].attributes == {
        "kind": "policy",
        "audience": "internal",
        "external_id": "policy-returns-zh",
        "title": "退货政策(2026 版)",
        "valid_from": "2026-03-01",
        "valid_to": "2026-11-30",
        "supersedes": ["policy-returns-zh-2025"],
    }
    assert files["sub/notes.md"].attributes == {
        "kind": "policy",
        "audience": "internal",
        "external_id": "sub:notes.md",
        "title": "notes",
    }
    assert files["faq.csv"].attributes == {"kind": "policy", "audience": "internal", "language": "zh"}
    assert files["faq.csv"].options == {
        "records": True,
        "id_template": "faq-{id}",
        "question": "{question}",
        "reply": "{answer}",
    }
    assert files["faq.csv"].timezone == ZoneInfo("Asia/Shanghai")


def test_all_the_way_to_a_document(shop: Path) -> None:
    file = named(walk([shop]))["returns.md"]
    (extract,) = readers.read(file.name, file.path.read_bytes(), options=file.options).extracts
    document = compose(extract, file.combine(extract), timezone=file.timezone)
    assert (document.external_id, document.title) == ("policy-returns-zh", "退货政策(2026 版)")
    assert document.audience == "internal"
    assert document.valid_from is not None and document.valid_from.isoformat() == "2026-03-01T00:00:00+08:00"
    assert document.valid_to is not None and document.valid_to.isoformat() == "2026-12-01T00:00:00+08:00"


def test_the_entry_wins_over_the_file_and_the_file_over_the_defaults(shop: Path) -> None:
    file = named(walk([shop]))["returns.md"]
    extract = Extract("x", (Block("prose", 0, 1),), {"title": "From the file", "audience": "public"})
    combined = file.combine(extract)
    assert combined["title"] == "退货政策(2026 版)"
    assert combined["audience"] == "public"


def test_a_row_wins_over_the_entry(shop: Path) -> None:
    file = named(walk([shop]))["faq.csv"]
    extract = Extract("x", (Block("prose", 0, 1),), {"language": "en", "external_id": "faq-1"})
    assert file.combine(extract)["language"] == "en"


@pytest.mark.parametrize(
    ("folder", "name", "kind"),
    [
        ("products", "a.md", "product"),
        ("x", "FAQ/a.md", "faq"),
        ("x", "resolutions/deep/a.md", "resolution"),
        ("x", "a.md", "policy"),
    ],
)
def test_the_kind_by_the_folders_name(tmp_path: Path, folder: str, name: str, kind: str) -> None:
    fill(tmp_path / folder, {name: "Text."})
    (file,) = walk([tmp_path / folder]).files
    assert file.attributes["kind"] == kind


def test_a_file_by_itself_has_its_folders_collection(shop: Path) -> None:
    (file,) = walk([shop / "returns.md"]).files
    assert file.name == "returns.md"
    assert file.attributes["external_id"] == "policy-returns-zh"


def test_collections_inherit_from_above(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            CONFIG: '[defaults]\nkind = "faq"\naudience = "internal"\n'
            '[files."in/ner/a.md"]\nlanguage = "zh"\ntitle = "outer"',
            "in/" + CONFIG: '[defaults]\naudience = "public"\n[files."ner/a.md"]\ntitle = "inner"',
            "in/ner/a.md": "Text.",
        },
    )
    expected = {"kind": "faq", "audience": "public", "language": "zh", "title": "inner"}
    for root in (tmp_path, tmp_path / "in", tmp_path / "in" / "ner" / "a.md"):
        (file,) = walk([root]).files
        if root.is_dir():
            assert {key: file.attributes[key] for key in expected} == expected


def test_the_digest_follows_content_and_options(shop: Path) -> None:
    def digests() -> dict[str, str]:
        return {file.name: file.digest for file in walk([shop]).files}

    first = digests()
    assert digests() == first
    assert len(set(first.values())) == 3
    (shop / "returns.md").write_text("# 退货\n\n十六天。", encoding="utf-8")
    second = digests()
    assert {name for name in first if first[name] != second[name]} == {"returns.md"}
    fill(shop, {CONFIG: POLICIES.replace('id_template = "faq-{id}"', 'id_template = "f-{id}"')})
    third = digests()
    assert {name for name in first if second[name] != third[name]} == {"faq.csv"}
    fill(shop, {CONFIG: POLICIES.replace("internal", "public")})
    assert not set(third.values()) & set(digests().values())


def test_links(tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"secret.md": "Secret.", "dir/x.md": "x"})
    root = fill(tmp_path / "root", {"a.md": "A.", "sub/b.md": "B."})
    (root / "leads-out.md").symlink_to(outside / "secret.md")
    (root / "leads-out").symlink_to(outside / "dir")
    (root / "to-nowhere.md").symlink_to(root / "gone.md")
    (root / "circle").symlink_to(root)
    (root / "same.md").symlink_to(root / "a.md")
    found = walk([root])
    assert [file.name for file in found.files] == ["a.md", "sub/b.md"]
    assert sorted(problem.path.name for problem in found.problems) == [
        "leads-out",
        "leads-out.md",
        "to-nowhere.md",
    ]
    assert [file.path for file in walk([root / "leads-out.md"]).files] == [root / "leads-out.md"]


def test_what_cannot_be_read_is_reported(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", {"a.md": "A.", "picture.png": "x", "noext": "x", "large.md": "x" * 2000})
    os.mkfifo(root / "pipe.md")
    found = walk([root, tmp_path / "gone"], max_bytes=1000)
    assert [file.name for file in found.files] == ["a.md"]
    assert {problem.path.name: type(problem.error) for problem in found.problems} == {
        "gone": UnreadableSource,
        "large.md": SourceTooLarge,
        "noext": UnsupportedFormat,
        "picture.png": UnsupportedFormat,
        "pipe.md": UnsupportedFormat,
    }
    assert found.roots == (root,)


def test_files_and_folders_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = fill(tmp_path, {"a.md": "A.", "b.md": "B.", "shut/c.md": "C."})
    opened, listed = Path.open, Path.iterdir

    def refuse_file(self: Path, *args: object, **named: object) -> object:
        if self.name == "b.md":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **named)  # type: ignore[call-overload]

    def refuse_folder(self: Path) -> object:
        if self.name == "shut":
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "open", refuse_file)
    monkeypatch.setattr(Path, "iterdir", refuse_folder)
    found = walk([root])
    assert [file.name for file in found.files] == ["a.md"]
    assert ["Permission denied" in str(problem.error) for problem in found.problems] == [True, True]
    assert found.holds(root / "a.md")
    assert found.holds(root / "b.md")
    assert found.holds(root / "shut" / "c.md")
    assert not found.holds(root / "gone.md")


def test_one_file_given_twice_is_read_once(shop: Path) -> None:
    assert len(walk([shop, shop / "returns.md", shop]).files) == 3


def test_ids_from_long_and_odd_names(tmp_path: Path) -> None:
    fill(tmp_path, {"退货 政策/二  稿.md": "x", "n" * 90 + "/" + "m" * 120 + ".md": "y"})
    long, odd = (str(file.attributes["external_id"]) for file in walk([tmp_path]).files)
    assert odd == "退货 政策:二 稿.md"
    assert len(long) == 200


# --- collection.toml ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("[defaults\n", CONFIG, "line 1"),
        ("a = [" * 5000, CONFIG, "not TOML"),
        ("default = 1", "default", "defaults"),
        ("defaults = 1", "defaults", "table"),
        ('[defaults]\nkinds = "policy"', "defaults.kinds", '"kind"'),
        ('[defaults]\nexternal_id = "x"', "defaults.external_id", "known are"),
        ('[defaults]\nkind = "polcy"', "defaults.kind", "policy"),
        ('ignore = "x"', "ignore", "list"),
        ('timezone = "Shanghai/Asia"', "timezone", "Asia/Shanghai"),
        ("timezone = 8", "timezone", "Asia/Shanghai"),
        ('files."a.md" = 1', 'files."a.md"', "table"),
        ('[files."a.md"]\nvalid_form = 2026-03-01', 'files."a.md".valid_form', '"valid_from"'),
        ('[files."a.md"]\nvalid_from = "soon"', 'files."a.md".valid_from', "ISO date"),
        ('[files."a.md"]\nregions = 5.5\naudience = "all"', 'files."a.md".audience', "public or internal"),
        ('[files."a.md"]\ntitle = ["{a}"]', 'files."a.md".title', "not a list"),
        ('[files."a.md"]\ntitle = 2026-03-01', 'files."a.md".title', "text"),
        ('[files."a.md"]\nid_template = "{a}"', 'files."a.md".id_template', "records = true"),
        ('[files."a.md"]\nurl = "www"', 'files."a.md".url', "http"),
        ('[files."a.csv"]\nrecords = "yes"', 'files."a.csv".records', "true or false"),
        ('[files."a.xlsx"]\nsheets = 1', 'files."a.xlsx".sheets', "table"),
        (
            '[files."a.xlsx".sheets."S"]\nexternal_id = "x"',
            'files."a.xlsx".sheets."S".external_id',
            "known are",
        ),
        ('[files."a.xlsx".sheets."S"]\nignore = 1', 'files."a.xlsx".sheets."S".ignore', "true or false"),
        ('[files."a.md"]\nmetadata = 1', 'files."a.md".metadata', "mapping"),
    ],
)
def test_malformed_collections_name_key_and_remedy(tmp_path: Path, text: str, field: str, says: str) -> None:
    root = fill(tmp_path, {CONFIG: text, "a.md": "A.", "sub/b.md": "B."})
    with pytest.raises(InvalidDocument) as caught:
        read_collection(root / CONFIG)
    assert caught.value.field == field
    assert says in caught.value.message
    for start in (root, root / "sub", root / "a.md"):
        found = walk([start])
        assert found.files == ()
        assert [problem.path for problem in found.problems] == [root / CONFIG]
        assert found.holds(root / "sub" / "b.md") == (start != root / "a.md")


def test_a_collection_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDocument, match="UTF-8"):
        read_collection(tmp_path / CONFIG)
    (tmp_path / CONFIG).write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SourceTooLarge):
        read_collection(tmp_path / CONFIG)
    with pytest.raises(UnreadableSource):
        read_collection(tmp_path / "none" / CONFIG)


def test_an_entry_without_its_file_is_reported_and_stops_nothing(shop: Path) -> None:
    (shop / "returns.md").unlink()
    found = walk([shop])
    assert [file.name for file in found.files] == ["faq.csv", "sub/notes.md"]
    (problem,) = found.problems
    assert problem.path == shop / CONFIG
    assert 'files."returns.md"' in str(problem.error)
    assert not found.holds(shop / "returns.md")


def test_sheets_and_json_lines(tmp_path: Path) -> None:
    path = fill(
        tmp_path,
        {
            CONFIG: """
[files."c.xlsx".sheets."商品"]
records = true
id_template = "p-{SKU}"
language = "zh"
regions = ["{Region}", "HK"]
[files."c.xlsx".sheets."Notes"]
ignore = true
[files."r.jsonl"]
kind = "resolution"
question = "{q}"
[files.'a\\b.md']
metadata = { team = "x", since = 2026-01-01 }
"""
        },
    )
    collection = read_collection(path / CONFIG)
    assert collection.timezone is None
    assert collection.files["c.xlsx"].options == {
        "sheets": {
            "商品": {
                "records": True,
                "id_template": "p-{SKU}",
                "language": "zh",
                "regions": ["{Region}", "HK"],
            },
            "Notes": {"ignore": True},
        }
    }
    assert collection.files["r.jsonl"].attributes == {"kind": "resolution"}
    assert collection.files["r.jsonl"].options == {"question": "{q}"}
    assert collection.files["a/b.md"].attributes == {"metadata": {"team": "x", "since": "2026-01-01"}}


def test_json_lines_have_no_ids_of_their_own(tmp_path: Path) -> None:
    fill(tmp_path, {"r.jsonl": '{"external_id": "a", "text": "x"}'})
    (file,) = walk([tmp_path]).files
    assert file.attributes == {"kind": "policy"}
    assert file.timezone is UTC
    assert file.combine(Extract("x", (), {"external_id": "a"})) == {"kind": "policy", "external_id": "a"}


# --- the sample -----------------------------------------------------------------------------------

SAMPLE = Path(__file__).parents[2] / "sample_kb"


def test_the_sample_is_read_without_a_problem() -> None:
    found = walk([SAMPLE / name for name in ("products", "policies", "faq", "resolutions")])
    assert len(found.files) > 60
    assert [str(problem.error) for problem in found.problems] == []
    for file in found.files:
        result = readers.read(file.name, file.path.read_bytes(), options=file.options)
        assert not result.problems
        for extract in result.extracts:
            document = compose(extract, file.combine(extract), timezone=file.timezone)
            assert document.title
