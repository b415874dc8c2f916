"""English texts that are exceptions to the rules of punctuation: contractions, abbreviations, emoticons.

These are the exceptions of spaCy's English tokeniser, whose words datatrove counts, as stems with their endings.
"""

from collections.abc import Iterable

_MODALS = "could might must should would"
_VERBS = "ca could do does did had may might must need ought sha should wo would"
_AUXILIARIES = "ai are is was were have has dare"
_PRONOUNS = "i you he she it we they"
_QUESTION_WORDS = "who what when where why how there that this these those"
_NO_SPLIT = "ill its hell shell shed were well whore"

_SHORT_FORMS = "doin goin nothin nuthin ol somethin lovin havin"
_WHOLE = (
    "em 'em ll 'll nuff 'nuff 'S 's ‘S ‘s and/or w/o 're 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout "
    "ma'am Ma'am o'clock O'clock 'd ' '' — \\\") <space> C++ \\t \\n"
)
_ABBREVIATIONS = (
    "Mt Ak Ala Apr Ariz Ark Aug Calif Colo Conn Dec Del Feb Fla Ga Ia Id Ill Ind Jan Jul Jun Kan Kans Ky La Mar Mass "
    "Mich Minn Miss N.C N.D N.H N.J N.M N.Y Neb Nebr Nev Nov Oct Okla Ore Pa S.C Sep Sept Tenn Va Wash Wis "
    "a.m Adm Bros co Co Corp D.C Dr e.g E.g E.G Gen Gov i.e I.e I.E Inc Jr Ltd Md Messrs Mo Mont Mr Mrs Ms p.m Ph.D "
    "Prof Rep Rev Sen St vs v.s a b c d e f g h i j k l m n o p q r s t u v w x y z ä ö ü"
)
_SPLIT = "y'|all y|all not|'ve not|ve Not|'ve Not|ve let|'s Let|'s c'm|on C'm|on how|'d|'y How|'d|'y"
_SPLIT_EITHER_CASE = "can|not gon|na got|ta"
_EMOTICONS = (
    ":) :-) :)) :-)) :))) :-))) (: (-: =) (= :] :-] [: [-: [= =] :o) (o: :} :-} 8) 8-) (-8 ;) ;-) (; (-; :( :-( :(( "
    ":-(( :((( :-((( ): )-: =( >:( :') :'-) :'( :'-( :/ :-/ =/ =| :| :-| ]= =[ :1 :P :-P :p :-p :O :-O :o :-o :0 :-0 "
    ":() >:o :* :-* :3 :-3 =3 :> :-> :X :-X :x :-x :D :-D ;D ;-D =D xD XD xDD XDD 8D 8-D ^_^ ^__^ ^___^ >.< >.> <.< "
    "._. ;_; -_- -__- v.v V.V v_v V_V o_o o_O O_o O_O 0_o o_0 0_0 o.O O.o O.O o.o 0.0 o.0 0.o @_@ <3 <33 <333 </3 "
    "(^_^) (-_-) (._.) (>_<) (*_*) (¬_¬) ಠ_ಠ ಠ︵ಠ (ಠ_ಠ) ¯\\(ツ)/¯ (╯°□°）╯︵┻━┻ ><(((*>"
)


def special_cases() -> dict[str, tuple[str, ...]]:
    """The words of each special text; joined, they are the text.

    >>> special_cases()["don't"], special_cases()["Mr."]
    (('do', "n't"), ('Mr.',))
    """
    cases: dict[str, tuple[str, ...]] = {text: (text,) for text in [*_WHOLE.split(), *_EMOTICONS.split()]}
    cases |= {f"{text}.": (f"{text}.",) for text in _ABBREVIATIONS.split()}
    for stem in _PRONOUNS.split():
        _add(cases, stem, ["'ll", "'ll 've", "'d", "'d 've"])
    _add(cases, "i", ["'m", "'m a"])
    for stem in ("i", "you", "we", "they"):
        _add(cases, stem, ["'ve"])
    for stem in ("you", "we", "they"):
        _add(cases, stem, ["'re"])
    for stem in ("he", "she", "it"):
        _add(cases, stem, ["'s"])
    for stem in _QUESTION_WORDS.split():
        _add(cases, stem, ["'ll", "'ll 've", "'d", "'d 've"])
        if stem not in ("these", "those"):
            _add(cases, stem, ["'s"])
        if stem not in ("that", "this"):
            _add(cases, stem, ["'re", "'ve"])
    for stem in _VERBS.split():
        _add(cases, stem, ["n't", "n't 've"])
    for stem in _MODALS.split():
        _add(cases, stem, ["'ve"])
    for stem in _AUXILIARIES.split():
        _add(cases, stem, ["n't"])
    for text in _SHORT_FORMS.split():
        for form in (text, text.title(), f"{text}'", f"{text.title()}'"):
            cases[form] = (form,)
    for parts in (item.split("|") for item in _SPLIT.split()):
        cases["".join(parts)] = tuple(parts)
    for first, second in (item.split("|") for item in _SPLIT_EITHER_CASE.split()):
        for start in (first, first.title()):
            cases[start + second] = (start, second)
    for hour in range(1, 13):
        for half in ("a.m.", "am", "p.m.", "pm"):
            cases[f"{hour}{half}"] = (str(hour), half)
    for letter in "cfkCFK":
        cases[f"°{letter}."] = ("°", letter, ".")
    for text in _NO_SPLIT.split():
        cases.pop(text, None)
        cases.pop(text.title(), None)
    curly = {text: words for text, words in cases.items() if "'" in text}
    return cases | {_curl(text): tuple(map(_curl, words)) for text, words in curly.items()}


def _add(cases: dict[str, tuple[str, ...]], stem: str, endings: Iterable[str]) -> None:
    """Adds the stem with each ending: also capitalised, and also without apostrophes."""
    for start in (stem, stem.title()):
        for ending in endings:
            for form in (ending, ending.replace("'", "")):
                words = (start, *form.split())
                cases["".join(words)] = words


def _curl(text: str) -> str:
    return text.replace("'", "’")
