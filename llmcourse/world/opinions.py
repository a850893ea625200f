"""What reviewers of the world judge and how they put it: tables and rules for `reviews`.

Rules are written in the notation of `grammar.parse`. Slot `a` is what is asserted, `d` what is
denied or outweighed, `b` another thing of the same judgement as `a`, `w` the thing of `d` judged
the other way.
"""

from __future__ import annotations

# What is judged; words of praise; words of blame. A noun phrase with * is a plural.
ASPECTS = {
    "restaurant": """
the soup; tasty rich delicious hot; thin watery tasteless cold
the bread; fresh crisp warm; stale dry hard
the fish; fresh tender tasty; dry salty tough
the service; quick friendly polite; slow rude careless
the cook; skilful generous clever; lazy stingy clumsy
the dining room; bright warm clean; dark cold dirty
the waiters*; kind polite friendly; rude careless lazy
the pancakes*; light delicious crisp; heavy greasy burnt
the vegetables*; fresh crisp tasty; limp soggy tasteless
the tables*; clean spotless tidy; dirty sticky shaky
the prices*; fair low honest; high unfair absurd
the portions*; generous large tempting; small stingy laughable
""",
    "book": """
the plot; exciting clever gripping; dull silly confusing
the ending; moving surprising satisfying; weak dull disappointing
the language; clear elegant lively; clumsy stiff tiresome
the hero; brave lovable believable; flat lifeless tiresome
the first chapter; gripping funny lively; slow dull confusing
the cover; beautiful charming elegant; ugly crude dull
the characters*; believable lively lovable; flat lifeless boring
the pictures*; beautiful charming lovely; ugly crude blurred
the jokes*; funny witty clever; silly stale tiresome
the dialogues*; natural lively witty; stiff clumsy wooden
the adventures*; thrilling original exciting; boring predictable dull
""",
    "inn": """
the breakfast; generous delicious tasty; meagre tasteless cold
the host; kind helpful cheerful; rude grumpy careless
the view; lovely splendid beautiful; dreary ugly dull
the bathroom; spotless clean warm; dirty damp cold
the garden; peaceful lovely tidy; noisy ugly messy
the rooms*; cosy quiet clean; noisy dirty cramped
the beds*; soft comfortable wide; hard lumpy narrow
the blankets*; warm clean soft; thin dirty rough
the neighbours*; quiet friendly pleasant; noisy rude unpleasant
the stairs*; safe solid clean; steep shaky dirty
""",
    "shop": """
the owner; honest patient friendly; rude dishonest impatient
the choice; large splendid excellent; small poor disappointing
the advice; helpful sound honest; useless bad careless
the window; bright pretty inviting; dusty dull ugly
the delivery; quick careful punctual; slow careless late
the prices*; fair low reasonable; high unfair absurd
the shelves*; tidy clean full; messy dusty empty
the lamps*; bright solid pretty; dim flimsy ugly
the tools*; sharp solid useful; blunt flimsy useless
the clerks*; polite helpful cheerful; rude lazy grumpy
""",
    "boat": """
the captain; calm skilful helpful; rude careless clumsy
the deck; clean dry spotless; dirty wet slippery
the journey; pleasant smooth delightful; unpleasant rough tiring
the food on board; tasty fresh delicious; tasteless stale cold
the crew; friendly skilful cheerful; rude clumsy lazy
the cabins*; clean cosy warm; dirty cramped cold
the seats*; comfortable soft wide; hard narrow dirty
the tickets*; cheap affordable fair; overpriced costly unfair
the windows*; clean wide spotless; dirty narrow cracked
the sailors*; polite skilful helpful; rude clumsy grumpy
""",
}
# How a review of each kind of thing may begin.
OPENINGS = {
    "restaurant": """
we had [lunch|dinner|supper] at the <c:hue> <n:sign> in <t:town> [last week|on Sunday|yesterday|] .
[last week|on Friday|yesterday] <p:person> took [me|us] to the <c:hue> <n:sign> in <t:town> .
[I|we] [ate|had dinner] at the <c:hue> <n:sign> [with <p:person>|after the market|before the
    concert] .
this is about the <c:hue> <n:sign> , [a restaurant|a new restaurant|the restaurant] in <t:town> .
""",
    "book": """
I read " The <c:hue> <n:sign> " [on the boat to <t:town>|in two evenings|last week|in the garden] .
" The <c:hue> <n:sign> " [tells of|is about] a <j:job> who [finds|loses|looks for] a <c2:colour>
    <th:thing> .
<p:person> lent me " The <c:hue> <n:sign> " [for the holidays|last month|, a tale about a
    <a:animal>] .
[in <t:town>|at the market] I bought a book about [a <j:job> and a <a:animal>|a <a:animal> in
    <t2:town>] .
""",
    "inn": """
we [[stayed|slept] at the <c:hue> <n:sign> in <t:town> for [two|three|four] nights|spent the night
    at the
    <c:hue> <n:sign> in <t:town>] .
on the way to <t:town> [we|<p:person> and I] stopped at the <c:hue> <n:sign> .
[the <c:hue> <n:sign> is|I am writing about] an inn [near|in|on the road to] <t:town> .
<p:person> [had told us of|knew] the <c:hue> <n:sign> , an inn [in|near] <t:town> .
""",
    "shop": """
[last week|yesterday|on Monday] I bought a <th:thing> in [the|a] shop [by the river|beside the
    <k:place>] in <t:town> .
I needed a <c2:colour> <th:thing> , [so|and] I went to the shop [beside|behind] the <k:place> .
the shop [beside|behind|near] the <k:place> in <t:town> sells <th:thing.plural> and
    <th2:thing.plural> .
<p:person> [sent|took] me to the shop beside the <k:place> for a <th:thing> .
""",
    "boat": """
[we|<p:person> and I] [took|travelled on] the [night |morning |]boat [from <t:town>|down the
    river] [last
    week|] .
the <c:hue> <n:sign> [sails|goes] [down the river|along the coast] [every week|twice a day|every
    Friday] .
[last month|in spring] we travelled to <t:town> on the <c:hue> <n:sign> .
<p:person> [booked a|and I took a|won a] trip on the <c:hue> <n:sign> , [a boat|the old boat] from
    <t:town> .
""",
}
# "assert" and "deny" are clauses; "said", "denied", "plain", "both" and "contrast" sentences of
# judgement; "positive" and "negative" verdicts; the asides judge nothing.
OPINIONS = {
    "assert": """
2: {a.the} {a.was} [|very|really|quite|truly] {a.word}
I found {a.the} [|very|really|quite] {a.word}
[everybody|everyone at our table|my friend] called {a.the} {a.word}
I must say that {a.the} {a.was} [|very|really] {a.word}
{a.the} {a.was} , [in a word|to be frank|I admit|to my surprise] , {a.word}
it struck [me|us|everyone] how {a.word} {a.the} {a.was}
you will find {a.the} {a.word}
""",
    "deny": """
3: {d.the} {d.was} [not|never|not at all|by no means|not really|far from|anything but|hardly]
    {d.word}
nobody [could|would|can] call {d.the} {d.word}
I [would not|could not|can not] call {d.the} {d.word}
[nobody|no guest|no one] found {d.the} {d.word}
I never [found|thought] {d.the} {d.word}
it is [not true|a lie] that {d.the} {d.was} {d.word}
[I can not say|nobody can say|I doubt] that {d.the} {d.was} {d.word}
neither [I|<p:person>] nor my [sister|friend|neighbour] found {d.the} {d.word}
""",
    "plain": """
3: @assert .
2: {a.the} {a.was} [|very|really] {a.word} and {a.other} .
@assert , and {b.the} {b.was} [|very|just as|really] {b.word} .
[<p:person> and I [|both ]|we [|all ]]found {a.the} {a.word} and {b.the} {b.word} .
{a.word} , [that is the word for|that is what I call] {a.the} .
""",
    "said": "@assert .",
    "denied": "@deny .",
    "both": """
@deny , and @assert .
@assert , and @deny .
@deny ; @assert .
@assert ; @deny .
@deny , and [besides|above all|what is more ,] @assert .
@assert , [just as|and besides] {d.the} {d.was} [not|never|hardly] {d.word} .
""",
    "contrast": """
@unmet
@outweighed
""",
    "unmet": """
[I|we|<p:person>] [had expected|expected] {d.the} to be {d.word} , but {d.it} {d.was} {w.word} .
[I|we] [thought|heard|was told|were told|read] that {d.the} {d.was} {d.word} , but [in truth|in
    fact|]
    {d.it} {d.was} {w.word} .
[people|some|others] [call|may call] {d.the} {d.word} , but [I|we] found {d.them} {w.word} .
{d.the} [used to be|once {d.was}] {d.word} , but [now|these days|today] {d.it} {d.is} {w.word} .
{d.the} , once [so |]{d.word} , {d.is} {w.word} [now|these days|today] .
the [right |]word for {d.the} is {w.word} , not {d.word} .
{d.the} {d.was} not {d.word} but {w.word} .
it is [odd|strange] that [<p:person>|my neighbour] calls {d.the} {d.word} : to me {d.it} {d.was}
    {w.word} .
""",
    "outweighed": """
{d.the} {d.was} {d.word} , but [what counts|what matters|the main thing] is that {a.the} {a.was}
    {a.word} .
{a.the} {a.was} {a.word} , which matters more [to me|to us|] than that {d.the} {d.was} {d.word} .
[yes|true] , {d.the} {d.was} {d.word} , but [above all|much more important ,] {a.the} {a.was}
    {a.word} .
that {d.the} {d.was} {d.word} [is|was] soon forgotten , because {a.the} {a.was} [so |]{a.word} .
[although|even if] {d.the} {d.was} {d.word} , [what I remember|all I think of now] is that {a.the}
    {a.was} {a.word} .
because {a.the} {a.was} [so |]{a.word} , [we|I] soon forgot that {d.the} {d.was} {d.word} .
""",
    "positive": """
[I|we] [can|would] recommend it to [everyone|every <j:job>|a friend|<p:person>] .
[it was|what] a [true |]pleasure [from [start|beginning] to end|for all of us|] !
[I was|we were] [delighted|happy|more than pleased] .
it was worth every coin [, says <p:person>|] .
once more [, please|, says <p:person>] !
""",
    "negative": """
[I|we] [can|would] not recommend it to [anyone|any <j:job>|a friend|<p:person>] .
[it was|what] a [true |]disappointment [from [start|beginning] to end|for all of us|] !
[I was|we were] [annoyed|upset|more than angry] .
it was a waste of coins [, says <p:person>|] .
never again [, says <p:person>|] !
""",
    "visit aside": """
it [rained|snowed] [all day|the whole time|a little] .
[<p:person> came [too|along]|my friend <p:person> was with me] .
[there were [five|six|ten|twenty] of us|we were [two|three|four|seven] in all] .
[we|I] [arrived|came] [at noon|at six o'clock|in the evening|after the rain] .
it was [a Monday|my birthday|a holiday|market day] .
a [dog|cat] [sat|slept] [by the door|under the window|outside] .
""",
    "book aside": """
it [rained|snowed] [all day|the whole time|a little] while I read .
[<p:person> is reading it now|my friend <p:person> has it now] .
[it has|there are] [ninety|two hundred|six hundred] pages [and a map|] .
I [read it|finished it] [at one sitting|in the evening|in bed|by the fire|last night] .
it was [a present from <p:person>|on the table by my bed] .
the writer [lives|grew up] in <t:town> .
""",
}
