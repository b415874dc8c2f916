"""Draws some of the prompts of a larger file at random."""

from annotation.campaign.pairing import seeded_key
from annotation.campaign.responses import Prompt
from annotation.campaign.settings import Campaign
from schemas.errors import UserError


def draw_prompts(prompts: list[Prompt], campaign: Campaign) -> list[Prompt]:
    """The prompts that ``pairs.prompts`` draws, by the seed and the ids alone, in the order of the file; or all.

    More prompts with the same seed contain the fewer ones. Raises UserError if the file has fewer prompts.
    """
    wanted = campaign.pairs.prompts
    if wanted is None:
        return prompts
    ids = sorted({prompt.prompt_id for prompt in prompts}, key=lambda each: seeded_key(campaign.seed, "prompts", each))
    if len(ids) < wanted:
        raise UserError(
            f"pairs.prompts is {wanted:,}, but {campaign.responses} has only {len(ids):,} prompts: draw fewer, or "
            "leave the setting out for all"
        )
    drawn = {*ids[:wanted]}
    return [prompt for prompt in prompts if prompt.prompt_id in drawn]
