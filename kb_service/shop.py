"""What a shop declared and what was learned of it, as one consistent value that is replaced, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graph.expertise import ExpertiseMap
from graph.models import Agent, Intent, Rules
from graph.profiles import Profiles
from graph.understanding import Gazetteer, IntentClassifier


@dataclass(frozen=True, slots=True)
class Shop:
    """Readers hold one Shop for a whole request, so that its parts always belong together."""

    rules: Rules
    intents: Mapping[str, Intent]
    agents: Mapping[str, Agent]
    classifier: IntentClassifier
    gazetteer: Gazetteer
    expertise: ExpertiseMap
    profiles: Profiles
