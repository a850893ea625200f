"""Words with two senses in context: what a contextual vector knows and a static one cannot.

The words are those of `sentences.SENSES`, and most others are met in stories too. A sentence joins
a frame that fits both senses of its word ("Mia waited at the bank") and a remark that fits one
("when the river was high", "while the clerk counted the coins"), in either order. So the words
next to it say nothing: the sense is in the rest of the sentence.

source: after Wiedemann et al., Does BERT Make Any Sense?, 2019, arXiv:1909.10430.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from llmcourse.world import knowledge
from llmcourse.world.freehand import Freehand, polish
from llmcourse.world.splits import draw, of_split
from llmcourse.world.story import detokenise
from llmcourse.world.writing import even


@dataclass(frozen=True)
class Sense:
    """`tokens[index]` is `word` in the sense `sense`, one of the two in `SENSES_OF[word]`."""

    tokens: tuple[str, ...]
    index: int
    word: str
    sense: str

    @property
    def text(self) -> str:
        """The sentence as one would print it."""
        return detokenise(self.tokens)


SENSES_OF = {
    "bank": ("river", "money"), "bark": ("tree", "dog"), "bat": ("animal", "club"),
    "letter": ("mail", "alphabet"), "match": ("fire", "game"), "palm": ("tree", "hand"),
    "seal": ("animal", "stamp"), "spring": ("season", "water"),
}  # fmt: skip

_FRAMES = {
    "bank": """
<p:person> [waited|stood|stopped] [at|near|by] the bank
<p:person> [walked|went|hurried] [back |]to the bank
<p:person> [met|saw|passed] <q:person> [at|near|by] the bank
<p:person> [came|walked] back from the bank
<p:person> [reached|passed|left] the bank
[nobody|no one] [was|waited|stood] [at|near] the bank
everyone [looked|hurried|went] towards the bank
the bank [at|in] <t:town> was [quiet|a quiet place]
""",
    "bark": """
<p:person> [noticed|described|wondered about] the [strange |rough |]bark
<p:person> [thought|talked|asked <q:person>] about the [strange |rough |]bark
the bark [surprised|worried|pleased] <p:person>
<p:person> knew it by its bark
<p:person> [told <q:person>|laughed with <q:person>] about the bark
[everyone|nobody|no one] [noticed|spoke of] the bark
<p:person> [remembered|missed] [the|that] bark
<p:person> first noticed that [rough|strange] bark
""",
    "bat": """
<p:person> [looked for|found|picked up|let go of|carried] the bat
<p:person> [left|found|saw] the bat in the [barn|shed|attic]
<p:person> [showed <q:person>|asked <q:person> about] the bat
[nobody|no one|<p:person>] could [find|see] the bat
<p:person> [looked|pointed|smiled] at the bat
[everyone|<p:person> and <q:person>] looked at the bat
the bat fell [from the table|to the floor]
there was a bat [on the floor|in the grass]
""",
    "letter": """
<p:person> [looked|pointed] at the letter [again|]
<p:person> [read|held up|copied|thought of|forgot] the [first |last |]letter
<p:person> [showed <q:person>|asked <q:person> about] the [first |last |]letter
<p:person> [noticed|looked for] the [last|first|other] letter
<p:person> and <q:person> [talked|argued|laughed] about the letter
[everyone|nobody] asked about the [first |last |]letter
the [first|last] letter was [missing|hard to read]
[everyone|no one] looked at the letter
""",
    "match": """
<p:person> [waited|hoped|asked] for [the|another|one more] match
<p:person> [talked|asked <q:person>] about the [last |]match
<p:person> [needed|promised <q:person>] [another|one more|a second] match
<p:person> and <q:person> [waited for|thought of] the match
it was time for [the|another] match
[everyone|nobody] [thought of|asked for] [the|another] match
<p:person> [wondered about|forgot|needed] the match
[everyone|nobody] looked at the match
""",
    "palm": """
<p:person> [looked|pointed] at the palm
<p:person> [drew|painted|examined|described] the palm
<p:person> [noticed|saw|found] [a mark|a bee|snow|dirt] on the palm
<p:person> [showed <q:person>|asked <q:person> about] the palm
[rain|snow|a leaf] fell on the palm
[water|rain] ran down the palm
a bee [sat|slept] on the palm
<p:person> and <q:person> [looked at|talked about] the palm
""",
    "seal": """
<p:person> [looked|smiled|laughed|pointed] at the seal
<p:person> [drew|touched|found|described|noticed] the [small |grey |]seal
<p:person> [showed <q:person>|asked <q:person> about] the seal
[everyone|nobody] [wondered|talked|asked] about the [small |grey |]seal
<p:person> and <q:person> [looked at|talked about|found] the seal
the seal [surprised|pleased|worried] <p:person>
[everyone|nobody] looked at the seal
<p:person> first [saw|noticed] the seal
""",
    "spring": """
<p:person> [talked|sang|asked <q:person>|wrote a song] about the spring
<p:person> [loved|praised|remembered|missed|enjoyed] the spring
<p:person> [waited|hoped|looked] for the spring
<p:person> [had dreamed|had heard|spoke] of the spring
<p:person> and <q:person> [talked|sang] about the spring
everyone [in <t:town>|] was glad of the spring
[everyone|nobody] [in <t:town>|] [talked about|thought of] the spring
<p:person> told <q:person> about the spring [at|near] <t:town>
""",
}

# word, sense: what may go on around any frame of the word when it has this sense. Both senses of a
# word have remarks of every beginning, as that is often the word's neighbour.
_REMARKS = {
    ("bank", "river"): """
@as the [river|water] was [deep|high|cold]
@as the [river|water] began to [rise|fall]
@as the [ducks|swans|otters] [slept|played] in the [grass|water]
before the [boat|boats] [sailed|left]
after the [bridge|boat] had been [washed away|swept away]
@as the [boat|boats|swans] went down the river
@as the rain filled the river
after the flood had [covered|reached] the [grass|trees]
""",
    ("bank", "money"): """
before the [money|gold] was [counted|stolen|sent]
@as the [clerk|guard] [opened|locked] the door
@as the clerk [counted|sorted|looked for] the coins
after the thief had [taken|found] the [gold|money]
@as the [rent|tax|price] had to be paid
after the money had been [refused|stolen|saved]
@as the [new |]coins [arrived|were sorted]
@as the [clerk|guard] [looked for|found] the key
""",
    ("bark", "tree"): """
@as the oak was [ill|old|cut down]
@as the [branches|branch] had been cut
@as the trunk was [wet|dry]
after the [tree|oak] had lost its [leaves|branches]
@as the leaves fell from the [oak|tree]
@as the [oak|tree] was [painted|planted] by the road
@as the bees flew round the trunk
before the [tree|oak] was [cut down|sold for wood]
""",
    ("bark", "dog"): """
@as the dog was [ill|old|young]
@as the [dog|little dog] saw the cat
@as the [dog|dogs] ran out of the [garden|house]
after the dog had been [left alone|locked in]
@as the dog [guarded|ran round] the house
before the [dog|little dog] wagged its tail
@as the [dog|old dog] heard the thief
@as the dogs were [hungry|awake|hunting]
""",
    ("bat", "animal"): """
after its [wing|ear|foot] was hurt
@as it flew [in|out] through the window
@as the owls [woke|hunted]
@as it [ate|caught] the flies
before it flew [away|into the night]
@as it [slept|was asleep]
@as it [opened|spread] its wings
after it had [slept|hung there] all day
""",
    ("bat", "club"): """
before the [game|contest] [began|started]
after the ball had [cracked|broken] it
@as the [players|team] [arrived|came back]
after the [team|players] had won
before the [game|team] went on
@as the wood was [wet|still new|rough]
@as it was time to hit the ball
@as the [team|players] looked for the ball
""",
    ("letter", "mail"): """
after it had come from <from:town>
@as the mail [arrived|came]
after the envelope had been [opened|torn]
@as it came from [an old friend|a stranger|the mayor]
before it was sent to the wrong [street|house|town]
@as the stamp fell off
@as it [brought|was full of] [good|strange|old] news
before it was put [back |]into the envelope
""",
    ("letter", "alphabet"): """
@as the word was [wrong|too long|spelled wrong]
@as the [class|pupils] [practised|sang] the alphabet
@as the teacher [wrote|read] the alphabet
before the [class|pupils] spelled the word
after the word had been [spelled|written] [badly|wrong|slowly]
@as the [word|name] was [written|painted] on the [sign|wall]
@as the word made no sense
@as the [class|pupils] [copied|learned] the alphabet
""",
    ("match", "fire"): """
before the [stove|oven] was [cold|lit]
@as the [candle|lamp|lantern] went out
@as the [lamp|candle|lantern] had to be lit
@as the wood was [ready|dry enough to burn]
@as it was too dark to see the [stairs|lamp|candle]
@as the smoke filled the kitchen
after the wind had put out the [candles|lamps|lantern]
before the [stove|fire|candle] was lit
""",
    ("match", "game"): """
@as the team [wanted|needed] to win
@as the players were [tired|ready]
@as the best player was [ill|away]
after the [team|other team] had [lost|cheated]
@as the crowd [shouted|sang|waited]
before the [team|player] had [won a game|scored]
before the [team|players] went home
after the [rain|snow] had stopped the game
""",
    ("palm", "tree"): """
after the leaves had turned [yellow|brown]
@as the wind [shook|broke] the branches
@as the [birds|parrots] sat in its leaves
@as the leaves [moved|shook] in the wind
@as its [roots|leaves] were [weak|dry]
before the storm [broke|bent] the trunk
after it had been planted by [a sailor|the gardener]
@as the trunk was [wet|young]
""",
    ("palm", "hand"): """
@as the fingers were [cold|stiff|open]
@as the glove was [off|torn|taken off]
after the ring had hurt the finger
after the [thumb|finger] had been [cut|broken]
@as the [hand|thumb] was [hurt|weak]
after the hand had been [opened|raised|washed]
before the [hand|fingers] closed
after the rope had [burned|hurt] the hand
""",
    ("seal", "animal"): """
@as it [slept|was asleep|lay] on the beach
@as it swam [under|round|to] the boat
after it had lost its way [to the sea|in the waves]
@as it [ate|caught] a fish
@as it [swam|played] in the [sea|waves]
@as it came out of the [water|sea]
before it [went|swam] back into the sea
@as the sailors threw it a fish
""",
    ("seal", "stamp"): """
@as the wax was [warm|soft|still wet]
@as the [letter|envelope] was [opened|sent]
@as the name of the [king|mayor|queen] was read from the envelope
after the [paper|letter] had been signed
@as the wax [dried|was warm]
@as the envelope came from the [king|mayor|queen]
before the [letter|paper] was [sent|signed]
after it had been pressed into the wax
""",
    ("spring", "season"): """
after a [long|hard|cold] winter
@as the [snow|ice] was gone
@as the [trees|roses|meadows] came into flower
@as the [flowers|roses] opened [early|]
after the winter had ended
@as the days grew [longer|warmer]
@as the birds built their nests
before the [summer|hot summer] began
""",
    ("spring", "water"): """
@as the well was [dry|empty]
@as the [bottles|buckets] were [empty|full]
after the water had been [tasted|carried home]
before the [buckets|bottles] were [full|carried home]
@as the [horses|goats|donkeys] drank [from it|]
@as the [goats|horses|donkeys] were thirsty
@as the [goats|horses] came down the path to drink
@as the [river|stream|well] had dried up
""",
}


@cache
def _grammar() -> Freehand:
    """Rules such as `bank` (a frame) and `bank/river` (a remark)."""
    remarks = {f"{word}/{sense}": text for (word, sense), text in _REMARKS.items()}
    people = (*knowledge.WOMEN, *knowledge.MEN)
    towns = [town for country in knowledge.COUNTRIES for town in country[1:4]]
    return Freehand(
        _FRAMES | remarks | {"as": "[2: when|while|as]"},
        {"person": even("name", rows=people), "town": even("name", rows=towns)},
    )


def word_senses(n: int, *, split: str = "train", seed: int = 0) -> Iterator[Sense]:
    """Streams `n` sentences, each with one of eight words in one of its two senses.

    All sixteen are equally frequent, and a frame is as frequent with one sense of its word as with
    the other. Raises ValueError for `n` below 1 or an unknown split.
    """
    grammar = _grammar()

    def make(rng: Random) -> Sense:
        word = rng.choice(list(SENSES_OF))
        sense = rng.choice(SENSES_OF[word])

        def sentence(rng: Random) -> Sense:
            return _sentence(grammar, word, sense, rng)

        return of_split(sentence, rng, split, lambda drawn: drawn.text)

    return draw(make, n, split, seed, "word senses")


def _sentence(grammar: Freehand, word: str, sense: str, rng: Random) -> Sense:
    frame = grammar.write(word, rng)
    remark = grammar.write(f"{word}/{sense}", rng)
    at = frame.index(word)
    if rng.random() < 0.35:
        written, at = [*remark, ",", *frame, "."], at + len(remark) + 1
    else:
        written = [*frame, *remark, "."]
    return Sense(tuple(polish(written)), at, word, sense)
