"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
InWorkspace = Annotated[
    str | None, typer.Option("--workspace", "-w", help="The shop; may be left out where there is one only.")
]
