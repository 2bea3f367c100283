"""The base of every part of a document: unknown keys are mistakes, since a misspelt restriction would be none."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class DocumentPart(BaseModel):
    """A mapping in a document; camel case outside, frozen inside."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True, validate_default=False
    )
