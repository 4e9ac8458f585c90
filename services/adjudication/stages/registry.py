"""Every stage there is, by its name in rulebooks and by the event that opens it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from schemas.envelope import Event
from services.adjudication.ballot.round import Round
from services.adjudication.stages.ballot import BallotStage
from services.adjudication.stages.cooldown import CooldownStage, Cooling
from services.adjudication.stages.corroboration import Corroborating, CorroborationStage
from services.adjudication.stages.stage import Stage

StageState = Annotated[Corroborating | Round | Cooling, Field(discriminator="stage")]
"""The state of any stage; snapshots tell them apart by `stage`."""
_ALL: tuple[Stage[Any, Any], ...] = (CorroborationStage(), BallotStage(), CooldownStage())
STAGES: Mapping[str, Stage[Any, Any]] = {stage.name: stage for stage in _ALL}
"""By name, which is also the tag of the stage's rules and of its state."""
OPENERS: Mapping[type[Event], Stage[Any, Any]] = {stage.opener: stage for stage in _ALL}
"""By the event that opens it."""
