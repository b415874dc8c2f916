"""The settings by which sites are removed from a corpus."""

from dataclasses import dataclass

from curation.filters.personal import PersonalInformation
from curation.rewrites.personal import Kind
from curation.rewrites.phones import check_regions
from curation.rewrites.redact import Redact
from schemas.errors import UserError

STAGE, REASON = "sites", "personal_information"


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Removes all documents of the hosts with much personal information, as the corpus of Llama 2 is made without sites
    "known to contain a high volume of personal information" (Touvron et al. 2023, section 2.1).

    A host is removed if at least ``min_documents`` of its documents passed the filters, and if these documents together
    hold more than ``per_thousand_words`` values of ``kinds`` per 1,000 words of the texts as read.
    """

    kinds: tuple[Kind, ...]
    """What is counted: email, ip, phone, iban, card, ssn, key."""
    per_thousand_words: float
    min_documents: int = 10
    regions: tuple[str, ...] = ()
    """The regions (ISO 3166, such as US) whose telephone numbers are counted as they are written there."""

    def __post_init__(self) -> None:
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise UserError("sites.kinds is empty or has a kind twice: give kinds such as ['email', 'ssn']")
        if ("phone" in self.kinds) != bool(self.regions):
            raise UserError(
                "sites.regions and the kind phone need each other: give both, such as regions = ['US', 'GB']"
            )
        if self.per_thousand_words < 0:
            raise UserError(f"sites.per_thousand_words is {self.per_thousand_words:g}: give 0 or more")
        if self.min_documents < 1:
            raise UserError(f"sites.min_documents is {self.min_documents}: give at least 1")
        check_regions(self.regions, "sites.regions")

    @property
    def counter(self) -> PersonalInformation:
        return PersonalInformation(kinds=self.kinds, regions=self.regions)

    def are_counted_by(self, step: Redact) -> bool:
        """Whether a step replaces and counts all values of ``kinds``, so that its counts can be used."""
        return set(self.kinds) <= set(step.kinds or ()) and ("phone" not in self.kinds or self.regions == step.regions)
