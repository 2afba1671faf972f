"""What the documents say is so: commands, settings, routes, links and examples, in both directions."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from pydantic import BaseModel, ValidationError

from bench.datasets import FOLDER_VARIABLE
from graph.rules import Rules
from kb_service.app import create_app
from kb_service.cli import app as commands
from kb_service.delivery.messages import body, headers, new_secret
from kb_service.judging.evaluation import read_questions
from kb_service.security import ACCESS, OPEN
from kb_service.settings import Settings
from kb_service.store import WebhookSecret
from kb_service.wire.events import EventIn
from kb_service.wire.feedback import FeedbackIn
from kb_service.wire.knowledge import DocumentIn
from kb_service.wire.people import AgentIn, IntentIn
from kb_service.wire.questions import QuestionIn
from kb_service.wire.rules import RulesShape
from kb_service.wire.searching import SearchIn
from kb_service.wire.webhooks import WebhookIn
from tests.kb_service.routes_seen import offered

ROOT = Path(__file__).parent.parent.parent
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "sample_kb" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [found for kind, found in FENCED.findall(page.read_text("utf-8")) if kind == language]


def commands_of(page: Path) -> Iterator[str]:
    """What a page tells a reader to type: indented lines, and spans in backticks."""
    content = FENCED.sub("", page.read_text("utf-8"))
    yield from (line.strip() for line in content.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", content)


# --- commands


def known_commands() -> dict[str, set[str]]:
    """Every `kb` command with its options."""
    found: dict[str, set[str]] = {}

    def visit(name: str, command: Any) -> None:
        for inner, held in getattr(command, "commands", {}).items():
            visit(f"{name} {inner}".strip(), held)
        if not hasattr(command, "commands"):
            found[name] = {option for item in command.params for option in item.opts}

    visit("", typer.main.get_command(commands))
    return found


def said_commands() -> Iterator[tuple[str, str, set[str]]]:
    """Page, command and options of every `kb ...` that the pages show."""
    known = known_commands()
    for page in PAGES:
        for line in commands_of(page):
            for found in re.finditer(r"(?:^|\s|bin/)kb ((?:[a-z]+)(?: [^|;#]*)?)", f" {line}"):
                words = shlex.split(found[1], comments=True)
                name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
                yield page.name, name, {word.partition("=")[0] for word in words if word.startswith("-")}


def test_every_command_shown_exists_with_its_options() -> None:
    known = known_commands()
    for page, name, options in said_commands():
        assert name in known, f"{page}: kb {name}"
        assert options <= known[name] | {"--help"}, f"{page}: kb {name}"


def test_every_command_is_in_the_readme() -> None:
    said = {name for page, name, _ in said_commands() if page == "README.md"}
    assert said >= set(known_commands())


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))


def test_every_make_target_shown_exists_and_every_variable_is_one() -> None:
    variables = set(re.findall(r"^([A-Z_]+) \?=", text("Makefile"), re.MULTILINE))
    seen = set()
    for page in PAGES:
        for line in commands_of(page):
            for found in re.finditer(r"(?:^|&& |\w=\S+ )make ([a-z-]+)((?: [A-Z_]+=\S+)*)", line):
                seen.add(found[1])
                assert found[1] in targets(), f"{page.name}: make {found[1]}"
                assert set(re.findall(r"([A-Z_]+)=", found[2])) <= variables, f"{page.name}: {found[0]}"
    assert (
        set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE)) - {"help", "install-dev"} <= seen
    )


def test_the_first_screen_has_what_a_newcomer_needs() -> None:
    first = " ".join(" ".join(text("README.md").splitlines()[:40]).split())
    for needed in (
        "make demo",
        "make test",
        "git",
        "3.11",
        "venv",
        "TORCH_INDEX",
        "2 GB",
        "curl",
        "/v1/answers",
    ):
        assert needed in first, needed
    assert "中文" in text("README.md")
    assert text("README.md").count("eval:begin") == text("README.md").count("eval:end") == 1


# --- settings


def said_settings() -> dict[str, str]:
    """Variables of the table in configuration.md, with their defaults."""
    return dict(re.findall(r"^\| `(KB_\w+)` \| (.+?) \|", text("docs/configuration.md"), re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert set(said_settings()) == {f"KB_{name.upper()}" for name in Settings.model_fields}


def test_documented_defaults_are_the_defaults() -> None:
    for name, said in said_settings().items():
        default = Settings.model_fields[name.removeprefix("KB_").lower()].default
        shown = {"unset": "None", "empty": ""}.get(said, said.strip("`"))
        assert shown == str(default), name


def test_no_page_names_a_variable_that_is_no_setting() -> None:
    known = {f"KB_{name.upper()}" for name in Settings.model_fields}
    known |= {"KB_KEY", FOLDER_VARIABLE}
    for page in PAGES:
        said = set(re.findall(r"\bKB_[A-Z_]+\b", page.read_text("utf-8")))
        assert said <= known, page.name


# --- routes


def said_routes() -> set[str]:
    return set(re.findall(r"`((?:GET|PUT|POST|DELETE) /[^`\s]*)`", text("docs/api.md")))


def test_every_route_is_documented_and_every_documented_one_exists(tmp_path: Path, word_hash: Any) -> None:
    app = create_app(Settings(data=tmp_path), embedder=word_hash)
    app.state.services.stop()
    there = {route.replace(":path}", "}") for route in offered(app) if not route.startswith(("HEAD", "ANY"))}
    assert said_routes() == there


def test_documented_roles_are_those_that_are_admitted() -> None:
    everyone = {"bot", "agent", "product", "editor", "admin"}
    rows = re.findall(r"^\| `(\w+ /\S+)` \| ([^|]+) \|", text("docs/api.md"), re.MULTILINE)
    rows += re.findall(r"^`(\w+ /\S+)` \(([^);]+)", text("docs/api.md"), re.MULTILINE)
    admitted = {route.replace(":path}", "}"): set(roles) for route, roles in ACCESS.items()}
    assert {route for route, _ in rows} == said_routes()
    for route, said in rows:
        if route in OPEN:
            assert said == "open", route
            continue
        roles = everyone if said in ("any", "any role") else set(said.split(", "))
        assert (everyone - {"bot"} if said == "all but bot" else roles) == admitted[route], route


def test_routes_that_other_pages_name_exist() -> None:
    for page in PAGES:
        for method, path in re.findall(r"`(GET|PUT|POST|DELETE) (/[^`\s]+)`", page.read_text("utf-8")):
            assert f"{method} {path}" in said_routes(), page.name
    for path in re.findall(r"(?:ask|\$KB)\s*'?(/[a-z0-9/._:-]+)", text("README.md")):
        template = re.sub(r"/(webhooks|cases)/[\w-]+", r"/\1/{id}", path)
        assert any(route.endswith(f" {template}") for route in said_routes()), path


# --- examples


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_json_and_toml_examples_can_be_read(page: Path) -> None:
    for example in blocks(page, "json"):
        json.loads(example)
    for example in blocks(page, "toml"):
        tomllib.loads(example)


REQUESTS: tuple[type[BaseModel], ...] = (
    QuestionIn, SearchIn, FeedbackIn, DocumentIn, IntentIn, AgentIn, EventIn, RulesShape, WebhookIn,
)  # fmt: skip


@pytest.mark.parametrize("shape", REQUESTS, ids=lambda shape: shape.__name__)
def test_each_request_has_an_example_that_would_be_taken(shape: type[BaseModel]) -> None:
    def fits(example: str) -> bool:
        try:
            shape.model_validate_json(example)
        except ValidationError:
            return False
        return True

    assert any(fits(example) for example in blocks(ROOT / "docs" / "api.md", "json"))


def test_the_readmes_requests_would_be_taken() -> None:
    shapes: dict[str, type[BaseModel]] = {
        "answers": QuestionIn,
        "suggestions": QuestionIn,
        "route": QuestionIn,
        "feedback": FeedbackIn,
    }
    said = re.findall(r"/v1/(\w+)\s[^'`]*?-d '([^']+)'", text("README.md").replace("\\\n", ""))
    assert {name for name, _ in said} >= set(shapes)
    for name, example in said:
        if name in shapes:
            shapes[name].model_validate_json(example)


def test_the_documented_rules_are_the_defaults() -> None:
    said = next(
        json.loads(block)
        for block in blocks(ROOT / "docs" / "api.md", "json")
        if "promote_customers" in block
    )
    assert RulesShape.model_validate(said).value() == Rules()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\s-]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name}: {target}"


def test_files_that_the_architecture_names_are_there() -> None:
    for name in re.findall(r"`((?:ingest|graph|kb_service|tests)/[\w/.]+)`", text("docs/architecture.md")):
        assert (ROOT / name).exists(), name


def test_counts_of_the_questions_are_right() -> None:
    questions = read_questions(ROOT / "sample_kb" / "questions.jsonl")
    reported = [question for question in questions if question.split == "report"]
    assert f"the {len(reported)} questions of the sample's `report` split" in text("README.md")
    assert f"{len(questions):,} questions" in text("sample_kb/README.md")
    by_region = read_questions(ROOT / "sample_kb" / "questions-by-region.jsonl")
    assert all(question.region for question in by_region)
    assert f"`questions-by-region.jsonl` holds {len(by_region):,} more" in text("sample_kb/README.md")


# --- the receiver


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_the_readmes_receiver_takes_our_messages_and_no_others(tmp_path: Path) -> None:
    (receiver,) = blocks(ROOT / "README.md", "python")
    (tmp_path / "receiver.py").write_text(receiver, "utf-8")
    secret, port = new_secret(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-u", str(tmp_path / "receiver.py"), secret, str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        now = datetime.now(UTC)
        payload = body("alert.opened", now, {"id": "alt_1"})
        signed = headers("msg_1", now, payload, [WebhookSecret(secret, None)])
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert client.post("/", content=payload, headers=signed).status_code == 204
            with pytest.raises(httpx.HTTPError):
                client.post(
                    "/", content=payload.replace(b"alt_1", b"alt_2"), headers=signed
                ).raise_for_status()
        assert process.stdout is not None
        assert "alt_1" in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
