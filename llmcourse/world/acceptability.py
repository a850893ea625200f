"""Minimal pairs: a sentence that English allows, and one that it does not, nearly the same.

Fourteen phenomena. Whatever word, length or order is wrong in one pair is right in another equally
often, so a bag of words is near chance: what is wrong is how the words go together.

source: Warstadt et al., BLiMP, 2020, arXiv:1912.00582, for minimal pairs by phenomenon; Warstadt,
Singh and Bowman, Neural Network Acceptability Judgments, 2019, arXiv:1805.12471, for the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world import agreement, facts, knowledge
from llmcourse.world.grammar import Domain, Rules
from llmcourse.world.splits import check_choice, draw
from llmcourse.world.writing import Writer, all_of_split, even, spell

# The notation of `grammar.parse`; besides, `( x ~ y )` writes x in the right sentence and y in the
# wrong one, and `a_` is an article that does not turn into `an`.
PHENOMENA = {
    "agreement": """
the <s:noun> @gap ( [was ~ were|is ~ are] ) @state .
the <s:noun.many> @gap ( [were ~ was|are ~ is] ) @state .
the <s:noun> @gap ( [has ~ have|needs ~ need] ) [a new owner|some paint|no place of its own] .
the <s:noun.many> @gap ( [have ~ has|need ~ needs] ) [a new owner|some paint|no place of their
    own] .
there ( [was ~ were|is ~ are] ) [a|one] [old|new|wet] <s:noun> near the <pl:place.many> .
there ( [were ~ was|are ~ is] ) [some|two|three] [old|new|wet] <s:noun.many> near the <pl:place> .
[each|one] of the <s:noun.many> ( [was ~ were|is ~ are] ) @state .
[all|two|some] of the <s:noun.many> near the <pl:place> ( [were ~ was|are ~ is] ) @state .
""",
    "number": """
<p:person> [painted|found|sold] ( [this ~ these|that ~ those] ) [old |new |]<s:noun> @when .
<p:person> [painted|found|sold] ( [these ~ this|those ~ that] ) [old |new |]<s:noun.many> @when .
<p:person> [saw|met|drew] [two|three|several|many|a few] ( <an:animal.many> ~ {an} ) @where .
<p:person> [saw|met|drew] [one|each|every|another] ( <an:animal> ~ {an.many} ) @where .
<p:person> did not [buy|sell|find] ( many ~ much ) <f:food.many> @when .
<p:person> did not [buy|sell|find] ( much ~ many ) <m:mass> @when .
there were [too|so] ( many ~ much ) <f:food.many> @indoors .
there was [too|so] ( much ~ many ) <m:mass> @indoors .
""",
    "article": """
<p:person> [bought|ate|found] ( an ~ a_ ) <v:vowel> @when .
<p:person> [bought|ate|found] ( a ~ an ) <v:consonant> @when .
@when , <p:person> [met|saw] ( an ~ a_ ) <v:old> <an:animal> @where .
@when , <p:person> [met|saw] ( a ~ an ) <v:young> <an:animal> @where .
<p:person> [saw|followed|drew] ( [a|the] ~ ) [tired |young |]<an:animal> @where .
<p:person> [saw|followed|drew] ( ~ a ) [tired |young |]<an:animal.many> @where .
<p:person> [came from|walked to|wrote to us from] ( ~ the ) <t:town> @when .
@when <p:person> [looked at|hid behind|ran to] ( the ~ ) <pl:place> .
""",
    "word_order": """
<p:person> [saw|painted|sold] the ( <v:size> <s:noun> ~ {s} {v} ) @when .
<p:person> has ( <ad:often> <tr:transitive> ~ {tr} {ad} ) [the <s:noun>|<an:animal.many>] @where .
<p:person> ( gave <q:person> ~ gave ) a [letter|cake|plan] ( ~ {q} ) @when .
<p:person> [sat|slept|sang] ( <pr:near> the ~ the {pr} ) <pl:place> @when .
( <nu:two> <v:size> ~ {v} {nu} ) <s:noun.many> [stood|lay] [near|behind] the <pl:place> .
( all the ~ the all ) <s:noun.many> [stood|lay] [near|behind|beside] the <pl:place> @when .
the <s:noun> [was|is] [not |]( <v:size> enough ~ enough {v} ) for <p:person> .
<p:person> [found|saw|took] the <s:noun> and ( <up:gave> it <b:back> ~ {up} {b} it ) @when .
""",
    "pronoun_case": """
( [he ~ him|she ~ her|they ~ them|we ~ us|I ~ me] ) [saw|heard|helped|met] [<p:person>|the
    <j:job>|the
    <an:animal>] @where .
[<p:person>|the <j:job>|the <an:animal>] [saw|heard|helped|met] ( [him ~ he|her ~ she|them ~
    they|us ~
    we|me ~ I] ) @where .
<p:person> and ( [he ~ him|she ~ her|they ~ them] ) [waited|danced|laughed|sang] @where .
<p:person> [waited|danced|sang] with ( [him ~ he|her ~ she|me ~ I|them ~ they|us ~ we] ) @where .
@when ( [he ~ him|she ~ her|they ~ them|we ~ us|I ~ me] ) [went|walked|drove] to <t:town> with
    <p:person> .
<p:person> [went|walked|drove] to <t:town> with the <q:job> and ( [him ~ he|her ~ she|them ~
    they|us ~
    we|me ~ I] ) @when .
it was <p:person> who [saw|heard|found] ( [him ~ he|her ~ she|them ~ they|us ~ we|me ~ I] ) @where .
<p:person> [knows|says|hopes] that ( [he ~ him|she ~ her|they ~ them|we ~ us|I ~ me] )
    [sang|danced|waited]
    @where .
""",
    "reflexive": """
<w:woman> [saw|hurt|washed|hid] ( herself ~ himself ) @where @when .
<m:man> [saw|hurt|washed|hid] ( himself ~ herself ) @where @when .
<w:woman> , whom <m:man> [met @where|knows well] , [saw|hurt|hid] ( herself ~ himself ) @when .
<m:man> , whom <w:woman> [met @where|knows well] , [saw|hurt|hid] ( himself ~ herself ) @when .
<m:man> said that <w:woman> had [hurt|hidden|washed] ( herself ~ himself ) @where .
<w:woman> said that <m:man> had [hurt|hidden|washed] ( himself ~ herself ) @where .
the [boys|girls] said that <m:man> had [hurt|hidden|washed] ( himself ~ themselves ) @where .
<m:man> said that the [boys|girls] had [hurt|hidden|washed] ( themselves ~ himself ) @where .
the [boys|girls] said that <w:woman> had [hurt|hidden|washed] ( herself ~ themselves ) @where .
<w:woman> said that the [boys|girls] had [hurt|hidden|washed] ( themselves ~ herself ) @where .
<w:woman> said that <m:man> had [seen|helped|followed] ( her ~ herself ) @where .
<m:man> said that <w:woman> had [seen|helped|followed] ( him ~ himself ) @where .
""",
    "verb_form": """
<p:person> [has|had] [never |already |just |]( <d:deed.done> ~ {d.did} ) {d.what} .
@when <p:person> ( <d:deed.did> ~ {d.done} ) {d.what} @where .
<p:person> [did not|can|will|must|may] ( <d:deed.do> ~ {d.did} ) {d.what} @where .
@when <p:person> ( <d:deed.did> ~ {d.do} ) {d.what} @where .
<p:person> [was|is] [still |not |]( <d:deed.doing> ~ {d.do} ) {d.what} .
<p:person> [wants|hopes|has] to ( <d:deed.do> ~ {d.doing} ) {d.what} @where .
<p:person> [can|will|must] [never |always |]( <d:deed.do> ~ {d.does} ) {d.what} .
<p:person> [never |always |often ]( <d:deed.does> ~ {d.do} ) {d.what} @where .
""",
    "question": """
[when|where|why|how] did <p:person> ( <d:deed.do> ~ {d.did} ) {d.what} ?
who ( <d:deed.did> ~ {d.do} ) {d.what} @where ?
[when|where|why|how] ( did <p:person> ~ {p} did ) <d:deed.do> {d.what} ?
where ( is <p:person> ~ {p} is ) [today|now|with the <an:animal.many>] ?
[do you|does <q:person>] know where ( <p:person> is ~ is {p} ) [today|now|with the
    <an:animal.many>] ?
what did <p:person> [find|hide|lose|see] ( ~ [the <an:animal>|a letter] ) @where ?
did <p:person> [find|hide|lose|see] ( [the <an:animal>|a letter] ~ ) @where ?
which [<an:animal>|letter] did <p:person> [find|hide|lose|see] ( ~ it ) @where ?
did <p:person> [find|hide|lose|see] ( it ~ ) @where [and take it away|] ?
""",
    "comparative": """
<p:person> is [much |a little |even |]( <c:degree.more> ~ {c} ) than <q:person> .
<p:person> is [just |not |nearly |]as ( <c:degree> ~ {c.more} ) as <q:person> .
<p:person> is the ( <c:degree.most> ~ {c.more} ) of [all|us all|the three] .
<p:person> is [very|so|too] ( <c:degree> ~ {c.most} ) [today|now|] , says <q:person> .
[the|this] <s:noun> is ( <c:measure.more> ~ more {c.more} ) than [that one|the other] .
[the|this] <s:noun> is ( more <v:long> ~ {v} ) than [that one|the other] .
[this|it] is ( the <c:measure.most> ~ the most {c.most} ) <s:noun> [here|of all] .
[this|it] is ( the most <v:long> ~ the {v} ) <s:noun> [here|of all] .
the two <s:noun.many> [near|behind] the <pl:place> are ( <c:measure.more> ~ {c.most} ) than the
    others .
""",
    "argument_structure": """
<p:person> [never |often |]( <tr:transitive> ~ <in:intransitive> ) the [<s:noun>|<an:animal>]
    @when .
<p:person> [never |often |]( <in:intransitive> ~ <tr:transitive> ) @where @when .
the <j:job> ( <tr:transitive> ~ <in:intransitive> ) [two|three|many]
    [<s:noun.many>|<an:animal.many>] @where .
the <j:job> [always |never |]( <in:intransitive> ~ <tr:transitive> ) [when the <an:animal>
    came|because of
    the <an:animal>] .
it was <p:person> who ( <tr:transitive> ~ <in:intransitive> ) the [<s:noun>|<an:animal>] @where .
it was <p:person> who ( <in:intransitive> ~ <tr:transitive> ) [near the <s:noun>|beside the
    <an:animal>] @when .
<p:person> ( <tr:transitive> the <an:animal> and <in:intransitive> ~ {in} the {an} and {tr} )
    @when .
""",
    "selection": """
( <p:person> <mi:praised> the <s:noun> ~ the {s} {mi} {p} ) @when .
( the <j:job> <mi:praised> the <s:noun> ~ the {s} {mi} the {j} ) @where .
( the <s:noun> was <mi:praised> by <p:person> ~ {p} was {mi} by the {s} ) @when .
( the <j:job> ate the <f:food.many> ~ the {f.many} ate the {j} ) @where .
( the <f:food> was eaten by the <an:animal> ~ the {an} was eaten by the {f} ) @when .
( <p:person> ~ the <s:noun> ) [hopes|knows|fears] that ( the {s} ~ {p} ) is [new|safe|for
    sale|old] .
( the <j:job> dreamed of the <pl:place> ~ the {pl} dreamed of the {j} ) @when .
( <p:person> and the <an:animal> looked for ~ the <s:noun> looked for ) ( the {s} ~ {p} and the
    {an} ) .
""",
    "polarity": """
( nobody ~ everybody ) @there has <dn:done> yet .
( everybody ~ nobody ) @there has already <dn:done> .
<p:person> has ( not <dn:done> yet ~ {dn} yet ) .
<p:person> has ( already <dn:done> ~ not already {dn} ) .
<p:person> [walked|drove] to <t:town> , and <q:person> [walked|drove] there ( too ~ either ) .
<p:person> did not [walk|drive] to <t:town> , and <q:person> did not ( either ~ too ) .
<p:person> [waited|danced|sang|ate] @where , and ( so ~ neither ) did <q:person> .
<p:person> did not [wait|dance|sing|eat] @where , and ( neither ~ so ) did <q:person> .
""",
    "tense": """
( yesterday ~ tomorrow ) <p:person> <d:deed.did> {d.what} @where .
( tomorrow ~ yesterday ) <p:person> will <d:deed.do> {d.what} @where .
<p:person> <d:deed.did> {d.what} ( <ag:ago> ~ <ne:next> ) .
<p:person> will <d:deed.do> {d.what} ( <ne:next> ~ <ag:ago> ) .
when the <an:animal> came [yesterday|last night] , <p:person> ( was ~ is ) <d:deed.doing> {d.what} .
now that the <an:animal> is here , <p:person> ( is ~ was ) <d:deed.doing> {d.what} .
<p:person> ( had ~ has ) <d:deed.done> {d.what} before the <an:animal> came [yesterday|last night] .
since [yesterday|last night] <p:person> ( has ~ had ) not <d:deed.done> {d.what} @where .
""",
    "relative": """
the [<j:job>|boy|girl] ( who ~ which ) [<tr:transitive> the <s:noun>|<in:intransitive>] [is|was]
    @where .
the <s:noun> ( which ~ who ) [<p:person> <tr:transitive>|the <j:job> <tr:transitive>] [is|was]
    @where .
<p:person> knows the [<j:job>|boy|girl] ( who ~ which ) [<tr:transitive> the
    <s:noun>|<in:intransitive>] .
<p:person> knows the <s:noun> ( which ~ who ) [the <j:job>|<q:person>] <tr:transitive> .
the [<j:job>|boy|girl] ( whose ~ who ) [dog|cat|hen|donkey] [ran away|fell ill|slept] is @where .
the [<j:job>|boy|girl] ( who ~ whose ) saw the <an:animal> is @where .
the <s:noun> [behind|near] ( which ~ that ) the <an:animal> hid [is|was] @where .
the <s:noun> ( that ~ what ) the [<an:animal>|<j:job>] found [is|was] @where .
<p:person> knows ( what ~ that ) the [<an:animal>|<j:job>] found @where .
""",
}
_PARTS = {
    "gap": """
4:
[near|behind|beside] the <g:place>
[near|behind|beside] the <g:place.many>
that the [girl|farmer|<g:job>] [found|sold]
that the [girls|farmers|sailors] [found|sold]
""",
    "state": "[old|wet|dirty|new|heavy|beautiful|ugly]",
    "when": """
[yesterday|last [week|night]|on [Monday|Friday]|before [noon|sunrise]|one evening|in the rain]
""",
    "where": """
[in the garden|at the market|by the river|on the way home|on the hill]
[near|behind|beside] the <g:place>
""",
    "indoors": "[at the market|in the kitchen|on the table|near the <g:place>]",
    "there": "[in <g:town>|at the market|on the boat|in the house|from the school]",
}
_THINGS = "boat cart tent statue flag table chair door wagon bucket ladder piano"
_LONG = "beautiful useful expensive colourful valuable famous"
_OF_PEOPLE = "tall short old young strong weak fast slow loud quiet rich poor happy kind"
_OF_THINGS = "big small long heavy cheap old light short"
_DEEDS = """
eat eats ate eaten eating / a cake
see sees saw seen seeing / a ghost
wear wears wore worn wearing / a crown
write writes wrote written writing / a letter
break breaks broke broken breaking / a cup
choose chooses chose chosen choosing / a cake
draw draws drew drawn drawing / a fox
hide hides hid hidden hiding / a letter
ride rides rode ridden riding / a pony
sing sings sang sung singing / a song
throw throws threw thrown throwing / a stone
fly flies flew flown flying / a flag
drink drinks drank drunk drinking / a glass of milk
shake shakes shook shaken shaking / a tree
take takes took taken taking / a walk
"""


@dataclass(frozen=True)
class Acceptability:
    """A sentence and whether English allows it; `twin` is the other sentence of its pair."""

    text: str
    acceptable: bool
    phenomenon: str
    twin: str


def acceptability(
    n: int, *, split: str = "train", seed: int = 0, phenomenon: str | None = None
) -> Iterator[Acceptability]:
    """Streams `n` sentences, about half of them acceptable, of all phenomena or of one.

    The sentence and its twin belong to `split`. Raises ValueError for `n` below 1, another split
    and an unknown phenomenon (they are the keys of PHENOMENA).
    """
    if phenomenon is not None:
        check_choice(phenomenon, PHENOMENA, "phenomenon")
    chosen = (phenomenon,) if phenomenon else tuple(PHENOMENA)
    return draw(lambda rng: _record(rng, split, chosen), n, split, seed, "acceptability")


def _record(rng: Random, split: str, phenomena: tuple[str, ...]) -> Acceptability:
    phenomenon = rng.choice(phenomena)
    pair = all_of_split(lambda source: _pair(source, phenomenon), rng, split, tuple)
    acceptable = rng.random() < 0.5
    text, twin = pair if acceptable else pair[::-1]
    return Acceptability(text, acceptable, phenomenon, twin)


def _pair(rng: Random, phenomenon: str) -> tuple[str, str]:
    """The right sentence and the wrong one."""
    sides: tuple[list[str], list[str]] = ([], [])
    now: tuple[list[str], ...] = sides
    for word in _writer().words(phenomenon, rng):
        if word == "(":
            now = sides[:1]
        elif word == "~":
            now = sides[1:]
        elif word == ")":
            now = sides
        else:
            for side in now:
                side.append(word)
    right, wrong = (spell(side).replace("_", "") for side in sides)
    return right, wrong


@cache
def _writer() -> Writer:
    def plain(words: str) -> Domain:
        return even("name", rows=words.split())

    def plural(rows: Iterable[tuple[str, str]]) -> Domain:
        return even("name", "many", rows=[f"{one}, {many}" for one, many in rows])

    deeds = [row.replace(" / ", " ").split(" ", 5) for row in _DEEDS.strip().splitlines()]
    degrees = {row[0]: ", ".join(row) for row in facts.COMPARATIVES}
    domains = {
        "person": even("name", rows=(*knowledge.WOMEN, *knowledge.MEN)),
        "woman": even("name", rows=knowledge.WOMEN),
        "man": even("name", rows=knowledge.MEN),
        "job": even("name", rows=knowledge.JOBS),
        "town": even("name", rows=[town for row in knowledge.COUNTRIES for town in row[1:4]]),
        "animal": plural(row for row in knowledge.ANIMALS if row[0] != row[1]),
        "food": plural(knowledge.FOODS),
        "noun": plural((word, word + "s") for word in _THINGS.split()),
        "place": plural(row for row in agreement.PLACES if row[0] not in ("church", "house")),
        "mass": plain("bread rice honey cheese soup flour milk butter"),
        "vowel": plain("apple egg onion orange olive"),
        "consonant": plain("pear plum lemon peach cake carrot"),
        "old": plain("old ugly angry idle odd enormous"),
        "young": plain("young tired small brown quiet hungry"),
        "size": plain("old new big small heavy"),
        "long": plain(_LONG),
        "often": plain("often never always"),
        "near": plain("near behind beside"),
        "two": plain("two three four five"),
        "gave": plain("gave brought sent"),
        "back": plain("back away"),
        "ago": even("name", rows=("a week ago", "two days ago", "an hour ago")),
        "next": even("name", rows=("next week", "in two days", "in an hour")),
        "done": even("name", rows=("left", "eaten", "arrived", "gone home", "paid", "packed")),
        "transitive": plain("found bought admired praised avoided fetched described noticed"),
        "intransitive": plain("slept arrived laughed sneezed fainted yawned shivered smiled"),
        "praised": plain("praised admired described bought remembered mentioned"),
        "deed": even("do", "does", "did", "done", "doing", "what", rows=map(", ".join, deeds)),
        "degree": even("name", "more", "most", rows=[degrees[w] for w in _OF_PEOPLE.split()]),
        "measure": even("name", "more", "most", rows=[degrees[w] for w in _OF_THINGS.split()]),
    }
    return Writer(Rules(PHENOMENA | _PARTS, domains))
