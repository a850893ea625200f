"""The sentences that tagged text is drawn from, in the notation of `grammar.parse`.

Words carry a tag where they could have another (`book/VERB`), names are slots of `tag_words`. Most
sentences hold a word that needs its context: the same form is a noun here and a verb there.
"""

from __future__ import annotations

# What somebody may do: a verb in the infinitive that is a noun or an adjective elsewhere.
_DEED = """
[watch/VERB|guard/VERB|name/VERB|feed] the <dx:animal>
book/VERB a [room|table]
[paint/VERB|open/VERB|close/VERB|clean/VERB] the [gate/NOUN|door|shed/NOUN]
water/VERB the [garden|plants/NOUN]
plant/VERB a [tree/NOUN|rose/NOUN]
park/VERB the cart [in the shed/NOUN|outside/ADV]
walk/VERB [the dog|home|round/ADP the lake/NOUN]
light/VERB the [lamp/NOUN|fire/NOUN|stove/NOUN]
[judge/VERB|time/VERB] the [race/NOUN|dance/NOUN]
[cook/VERB|warm/VERB] the [fish/NOUN|meat/NOUN]
wash the [<df:food>|plates/NOUN]
ring/VERB the bell/NOUN [twice|again|]
[dry/VERB|clean/VERB] the [cup|plates/NOUN]
[empty/VERB|fill] the [bucket|cup|bag]
[answer/VERB|post/VERB|mark/VERB] the letter
[sail/VERB|man/VERB|board/VERB] the boat
rest/VERB [for an hour|under the tree/NOUN]
[fish/VERB|swim/VERB] in the river
hand/VERB <dp:person> the spoon
[drink/VERB|cool/VERB] the tea
[dance/VERB|march/VERB|run] [round/ADP the table|to the tower]
train/VERB the [dog|<dx:animal>]
cross/VERB the [bridge|road]
cut/VERB the [rope|bread|grass]
[play/VERB|record/VERB] a song
dress/VERB the salad/NOUN
hammer/VERB the [nails/NOUN|door]
"""

# What somebody did.
_DID = """
saw/VERB [a <zx:animal>|two <zx:animal.plural>]
left/VERB [the house|the market|early/ADV|home]
found/VERB [the saw/NOUN|the ring/NOUN|a coin/NOUN|the left/ADJ boot/NOUN]
rose/VERB [early/ADV|late/ADV|before/ADP supper]
fell/VERB [over the bucket|into the well/NOUN|down/ADP the stairs]
felt/VERB [ill|well/ADJ|cold/ADJ|the cold/NOUN]
drew/VERB a <zx:animal>
cut/VERB the [bread|rope] [in half/NOUN|]
lost the [watch/NOUN|book/NOUN|saw/NOUN|ring/NOUN]
went for a [walk/NOUN|swim/NOUN|drink/NOUN]
picked/VERB [up/ADP a stone/NOUN|a rose/NOUN]
paid/VERB the [cook/NOUN|guard/NOUN|judge/NOUN|painter/NOUN]
took the [right/ADJ|wrong/ADJ|left/ADJ] road
turned/VERB [right/ADV|left/ADV|back/ADV]
came [back/ADV|home] with a [fish/NOUN|cold/NOUN|present/NOUN]
had/VERB [a rest/NOUN|a cold/NOUN|no/DET answer/NOUN|a plan/NOUN]
did/VERB the [cooking/NOUN|rest/NOUN|work/NOUN]
worked/VERB hard/ADV [in the garden|]
sold a [light/ADJ|round/ADJ|dark/ADJ] table
"""

_WORDS = """
<p:person> saw/VERB the <t:thing> that/PRON <q:person> had/AUX [lost|hidden|sold|found/VERB] .
<p:person> [said|thought|knew] that/SCONJ [that/DET|this/DET] <t:thing> was/AUX
    [old|small|light/ADJ] .
[that/PRON|this/PRON] was/AUX the <t:thing> that/PRON <p:person> wanted .
that/DET [woman|farmer|man/NOUN] [said|knew] that/SCONJ the <j:job> had/AUX left/VERB .
<p:person> [hoped|thought] that/SCONJ {p.he} could [@deed|see that/DET <x:animal>] .
<p:person> wanted to/PART @deed before/ADP [lunch|supper|breakfast] .
<p:person> wanted to/PART @deed before/SCONJ <q:person> left/VERB .
<p:person> @did before/SCONJ <q:person> @did .
<p:person> had/AUX never [seen/VERB|eaten/VERB|heard] [that/PRON|this/PRON|the <x:animal>]
    before/ADV .
after/ADP [lunch|supper] <p:person> [went|came] [home|back/ADV] to/PART @deed .
after/SCONJ <p:person> @did , {p.he} [went|came] to the [market|park/NOUN|well/NOUN] .
<p:person> came [first/ADV|soon after/ADV|home after/ADP supper|after/SCONJ <q:person> had/AUX
    gone] .
since/SCONJ <p:person> [was/AUX ill|had/AUX left/VERB] , <q:person> had/VERB to/PART @deed .
<p:person> has/AUX not sung/VERB since/ADP [lunch|DATE:Monday|DATE:last_May] .
the shop/NOUN will/AUX open/VERB [at noon/NOUN|when <p:person> comes/VERB back/ADV] .
<p:person> [wrote|read] {p.his} will/NOUN [twice|to the <j:job>] .
will/AUX <p:person> @deed ?
will/AUX you [please|] @deed ?
[can/AUX|may/AUX|could|must/AUX] [I|we] @deed ?
<p:person> opened/VERB a can/NOUN of [paint/NOUN|fish/NOUN|soup] , but {p.he} could not @deed .
" @deed , " said <p:person> , " and then @deed . "
" [oh|well/INTJ|yes|no/INTJ] , " said <p:person> , " [you|we] [must/AUX|can/AUX] @deed . "
" no/INTJ , " said the <j:job> , " there/PRON is/VERB no/DET [bread|time/NOUN|light/NOUN] . "
there/PRON [was/VERB|is/VERB] [a|no/DET] [light/NOUN|well/NOUN|guard/NOUN] in the [park/NOUN|tower]
    .
there/PRON were/VERB <n:number> <x:animal.plural> [near/ADP|behind/ADP] the [well/NOUN|mill/NOUN] .
<p:person> [stood|waited/VERB] there/ADV and did/AUX not [answer/VERB|rest/VERB|move/VERB] .
<p:person> [went|ran|looked/VERB] [outside/ADV|inside/ADV|up/ADV|down/ADV] to/PART @deed .
<p:person> [waited/VERB|slept/VERB] [outside/ADP|inside/ADP|near/ADP] the [mill/NOUN|shed/NOUN] .
<p:person> [walked/VERB|ran] [past/ADP|round/ADP] the [mill/NOUN|lake/NOUN|park/NOUN] .
the [cart|dog|farmer] [went|walked/VERB] past/ADV , and <p:person> @did .
<p:person> never thought of the past/NOUN [or the cold/NOUN|] .
the round/ADJ [table|window/NOUN] is/AUX [near/ADP|behind/ADP] the [door|stove/NOUN] .
<p:person> [ran|went] round/ADP the [round/ADJ|old] [tower|table] [twice|] .
<p:person> @did as/SCONJ <q:person> [watched/VERB|slept/VERB|sang] .
the <t:thing> was/AUX as/ADV [old|light/ADJ|dark/ADJ] as/ADP the <u:thing> .
as/SCONJ the light/NOUN [went out/ADV|grew/VERB dark/ADJ] , <p:person> [sat|lay/VERB] down/ADV .
<p:person> [swims/VERB|sings/VERB] like/ADP a [fish/NOUN|<x:animal>] .
[we|they|you] [would|will/AUX] like/VERB to/PART @deed .
the children [like/VERB|love/VERB] [a|the] <a:act> [in the park/NOUN|before/ADP supper] .
<p:person> sang [well/ADV|so/ADV well/ADV|better/ADV] , but the song was/AUX [long/ADJ|sad] .
the [well/NOUN|spring/NOUN] behind/ADP the mill/NOUN is/AUX [dry/ADJ|clean/ADJ|cold/ADJ] .
<p:person> is/AUX [well/ADJ|kind/ADJ|right/ADJ] , but {p.his} [friend|neighbour] is/AUX ill .
a [fast/ADJ|slow/ADJ] [dog|hare/NOUN|pony/NOUN|fox/NOUN] ran as/ADV fast/ADV as/ADP the
    [cat/NOUN|deer/NOUN] .
<p:person> ran [fast/ADV|hard/ADV|straight/ADV] , for/CCONJ {p.he} was/AUX late/ADJ .
the [late/ADJ|early/ADJ] train/NOUN came [late/ADV|early/ADV] [today|again] .
it was/AUX [hard/ADJ|kind/ADJ|right/ADJ] to/PART @deed [again|today|] .
the [back/NOUN|front/NOUN] of the [cart|house] is/AUX [open/ADJ|clean/ADJ|dirty/ADJ] .
the back/ADJ door was/AUX open/ADJ , so/ADV <p:person> came back/ADV .
<p:person> had/VERB the right/NOUN to/PART [@deed|keep the light/ADJ <t:thing>] .
the <j:job> [lay/VERB|sat] still/ADV near/ADP the still/ADJ [water/NOUN|lake/NOUN] .
<p:person> is/AUX still/ADV [ill|here/ADV|the last in the race/NOUN] .
it was/AUX a [new|strange/ADJ] kind/NOUN of [<t:thing>|fish/NOUN|play/NOUN] .
the second/ADJ <t:thing> fell/VERB [a second/NOUN|an hour] later/ADV .
<p:person> was/AUX present/ADJ , but {p.his} present/NOUN was/AUX late/ADJ .
[I|we|they] mean/VERB to/PART @deed .
the mean/ADJ [cook/NOUN|guard/NOUN|judge/NOUN] did/AUX not [pay/VERB|answer/VERB|eat] .
<p:person> [can/AUX|must/AUX|may/AUX] [rest/VERB|work/VERB|cook/VERB] , and the rest/NOUN will/AUX
    wait .
the work/NOUN was/AUX [hard/ADJ|over/ADV] , and <p:person> had/AUX worked/VERB hard/ADV .
the [cook/NOUN cooks/VERB|guard/NOUN guards/VERB|judge/NOUN judges/VERB|watch/NOUN watches/VERB]
    well/ADV [today|] .
the [cooks/NOUN cook/VERB|guards/NOUN guard/VERB|judges/NOUN judge/VERB] what/PRON they [find|see] .
<p:person> [watches/VERB|plants/VERB|paints/VERB|waters/VERB] the [plants/NOUN|flowers|trees] every
    day .
the [watches/NOUN|plants/NOUN|paints/NOUN|books/NOUN] [fell/VERB|lay/VERB] [behind/ADP|near/ADP]
    the bed .
[my|your|our] [paint/NOUN|watch/NOUN|book/NOUN|hand/NOUN|dress/NOUN] was/AUX
    [wet|clean/ADJ|cold/ADJ] .
<p:person> 's [answer/NOUN|plan/NOUN|walk/NOUN|dance/NOUN] was/AUX [long/ADJ|kind/ADJ|well/ADV
    known/VERB] .
the [paint/NOUN|water/NOUN|light/NOUN|dark/NOUN] [fell/VERB on the road|made/VERB the room
    cold/ADJ] .
a [saw/NOUN|hammer/NOUN|can/NOUN|match/NOUN] lay/VERB [near/ADP|behind/ADP|below/ADP] the
    stove/NOUN .
<p:person> [saw/VERB|bought|found/VERB] the saw/NOUN that/PRON [cut/VERB|fell/VERB] .
the [train/NOUN|ship/NOUN|march/NOUN] left/VERB [late/ADV|before/ADP breakfast|as/SCONJ it
    rained/VERB] .
the cold/ADJ [water/NOUN|spring/NOUN|light/NOUN] hurt/VERB [my|your] left/ADJ [hand/NOUN|eye/NOUN] .
both/DET [<t:thing.plural>|cooks/NOUN|watches/NOUN] were/AUX [old|light/ADJ|clean/ADJ] .
both/CCONJ <p:person> and <q:person> [saw/VERB|watched/VERB|found/VERB] the <x:animal> .
one/NUM of the [<t:thing.plural>|guards/NOUN|judges/NOUN] [fell/VERB|was/AUX light/ADJ] .
<p:person> wanted the red <t:thing> , but <q:person> took the [blue|light/ADJ|dark/ADJ] one/NOUN .
one/PRON can/AUX [never|not always] [@deed and rest/VERB|see the light/NOUN] .
<p:person> [ate|bought] more/ADJ [<f:food>|fish/NOUN|bread] than/ADP <q:person> .
the [old|second/ADJ] <a:act> was/AUX more/ADV [famous|quiet] than/ADP the [first/ADJ|last] .
there/PRON was/VERB enough/ADJ [fish/NOUN|water/NOUN|paint/NOUN] , and <p:person> was/AUX old
    enough/ADV .
much/ADJ [work/NOUN|paint/NOUN|time/NOUN] was/AUX lost , and <p:person> worked/VERB much/ADV
    slower/ADV .
the only/ADJ [light/NOUN|well/NOUN|can/NOUN] was/AUX only/ADV [half/ADV full/ADJ|a minute away] .
<p:person> [has/VERB|had/VERB] [only/ADV|<n:number>] <n:number> [nails/NOUN|coins|roses/NOUN] .
<p:person> [has/AUX|had/AUX] [found/VERB|left/VERB|cut/VERB] the [rope|bread|roses/NOUN] .
[do/AUX|did/AUX] you [like/VERB|mean/VERB|watch/VERB|mark/VERB] the <j:job> ?
[what/PRON|who] [fell/VERB|rose/VERB|is/AUX] [behind/ADP|near/ADP] the [shed/NOUN|well/NOUN] ?
[what/DET|which/DET] [book/NOUN|play/NOUN|watch/NOUN] did/AUX <p:person>
    [like/VERB|name/VERB|mean/VERB] ?
what/DET a [kind/ADJ answer/NOUN|clean/ADJ room|light/ADJ dress/NOUN|close/ADJ race/NOUN] !
<p:person> @did , which/PRON [was/AUX right/ADJ|made/VERB <q:person> sad] .
if it [rains/VERB|snows/VERB] , the [water/NOUN will/AUX water/VERB the garden|rain/NOUN will/AUX
    clean/VERB the road] .
when it [rains/VERB , the rain/NOUN|snows/VERB , the snow/NOUN] [lasts/VERB|falls/VERB] for/ADP
    [weeks/NOUN|a week] .
the [sails/NOUN|falls/NOUN|rings/NOUN] are/AUX [near/ADP|behind/ADP] the [mill/NOUN|house] .
the boat sails/VERB [at noon/NOUN|with new sails/NOUN] if the wind [turns/VERB|rises/VERB] .
while <p:person> [watched/VERB|waited/VERB] , the <x:animal> [drank/VERB|left/VERB the water/NOUN] .
[it|the <a:act>] will/AUX last/VERB until/ADP [noon/NOUN|supper] , and last week it lasted/VERB an
    hour .
<p:person> waited/VERB until/SCONJ the [light/NOUN came|rain/NOUN stopped/VERB] , then until/ADP
    supper .
<p:person> said nothing , for/CCONJ the time/NOUN for/ADP [talk/NOUN|work/NOUN] was/AUX over/ADV .
the <j:job> [talks/VERB|dreams/VERB] of [talks/NOUN|dreams/NOUN] that/PRON [last/VERB|help/VERB] .
<p:person> smiled/VERB , and {p.his} smile/NOUN was/AUX [kind/ADJ|cold/ADJ|like/ADP a light/NOUN] .
[smile/VERB|talk/VERB|play/VERB|dance/VERB] , and <p:person> will/AUX
    [smile/VERB|talk/VERB|play/VERB] too .
[run|walk/VERB|march/VERB] [fast/ADV|straight/ADV|back/ADV] to the [left/NOUN|right/NOUN] !
it is/AUX time/NOUN to/PART [@deed|turn/VERB back/ADV|close/VERB] .
it was/AUX [<p:person> 's|the <j:job> 's] turn/NOUN to/PART @deed .
the [close/ADJ|open/ADJ|empty/ADJ] window/NOUN was/AUX [close/ADJ to|near/ADP|below/ADP] the roof .
"""

_NAMES = """
[<d:date>|] <p:person> [@did|met <q:person> at <s:spot>] .
<d:date> <p:person> [visited|invited] <g:guest> , who [came from|lives/VERB in] <m:town> .
<p:person> @did <d:date> .
<p:person> told <q:person> <r:person> [had/AUX left/VERB|was/AUX ill|would @deed] .
<p:person> [thought|knew|hoped] <q:person> and <r:person> [would @deed|had/AUX left/VERB] .
<p:person> [wrote|sang|read] a [play/NOUN|song|book/NOUN] about <q:person> [<d:date>|] .
<p:person> , <q:person> and <r:person> [met <d:date>|@did|had/AUX lunch near/ADP <s:spot>] .
[<p:person>|someone] showed/VERB <q:person> the way/NOUN to [<s:spot>|<l:lake>] .
[<p:person>|the <j:job>] [waited/VERB|stood|got/VERB off/ADP] at <s:spot> [<d:date>|] .
[<p:person>|the <j:job>] [walked/VERB|ran|came] [from <s:spot> to <m:town>|past/ADP <s:spot>|to
    <s:spot>] .
<s:park> [lies near/ADP <l:lake>|is/AUX north of <m:town>|burned/VERB down/ADP <d:date>] .
<s:park> is/AUX [a quiet place/NOUN|well/ADV known/VERB] in <m:town> .
<s:spot> was/AUX full/ADJ of [visitors|guests/NOUN|people] [<d:date>|when <p:person> came] .
the [play/NOUN|march/NOUN|dance/NOUN|race/NOUN] at <s:spot> [began|was/AUX] [late/ADV|at noon/NOUN]
    .
from <m:port> {m.lake} is/AUX [an hour|a day] [away|by boat] .
in <m:town> [<p:person>|<o:org>] [bought|sold|found/VERB] [a house|a boat|the old mill/NOUN] .
<r:river> [rose/VERB|fell/VERB] [<d:date>|after/ADP the rain/NOUN|before/SCONJ <p:person> came] .
<p:person> [sailed/VERB|rowed/VERB] [up/ADP|down/ADP|across|along] <m:port.river> [to|from]
    {m.name} .
the [bridge|road] [across|along|over] <r:river> [is/AUX closed/VERB|leads/VERB to <s:spot>] .
<l:lake> [is/AUX deep|was/AUX still/ADJ <d:date>|lies north of <s:park>] .
<h:peak> is/AUX [white/ADJ in DATE:March|south of <l:lake>|hard/ADJ to/PART see from <m:town>] .
<m:port.lake> lies [near/ADP|south of] {m.name} .
<o:org> [hired|invited|thanked|paid/VERB] <g:guest> [<d:date>|in <m:town>|] .
<o:org> [closed/VERB|opened/VERB] <d:date> [in <m:town>|near/ADP <s:spot>|] .
<o:org> [bought|sold|beat] <b:org> [<d:date>|] .
<o:org> will/AUX [open/VERB|close/VERB] [a shop/NOUN|an office/NOUN] [near/ADP|in]
    [<s:spot>|<m:town>] .
<g:guest> works/VERB for <o:org> [in <m:town>|near/ADP <s:spot>|] .
<g:guest> left/VERB <o:org> <d:date> [to/PART @deed|] .
<p:person> [wrote to|heard from] <o:org> [about <q:person>|<d:date>|] .
[<p:person>|the <j:job>] heard from <o:org> that/SCONJ <a:team> had/AUX [lost|won/VERB] .
<a:team> beat <b:team> [by <n:number> goals|in <m:town>|<d:date>] .
<a:team> [won/VERB|lost] [the match/NOUN|the cup] [<d:date>|to <b:team>|in <m:town>] .
<p:person> saw/VERB <a:team> [beat/VERB|play/VERB] <b:team> [in <m:town>|<d:date>|] .
<g:guest> [plays/VERB|scored/VERB twice] for <a:team> , [not|and never] for <b:team> .
<m:port> is/AUX [quiet|cold/ADJ|wet|famous] , but [<k:town>|{m.lake}] is/AUX not .
the [train/NOUN|road|boat] from <m:town> to <k:town> [passes/VERB|leaves/VERB|runs/VERB past/ADP]
    <s:spot> .
<p:person> will/AUX [march/VERB|walk/VERB|sail/VERB] from <m:town> to <k:town> in DATE:March .
[may/AUX|will/AUX|can/AUX] <p:person> [@deed|come to <s:spot>] [<d:date>|] ?
<d:date> <o:org> and <b:org> [met|opened/VERB] [at|near/ADP] <s:spot> .
<d:date> <a:team> [won/VERB|lost|rested/VERB] , and <p:person> [sang|went home] .
DATE:May , DATE:June and DATE:August [are/AUX|were/AUX] [wet|cold/ADJ|dry/ADJ] in <m:town> .
DATE:the_third_of_May is/AUX [early/ADJ|late/ADJ] for <o:org> to/PART open/VERB <s:spot> .
" @deed , " <p:person> told <q:person> <d:date> .
<p:person> 's [walk/NOUN|march/NOUN] to <s:spot> [began in <m:town>|took an hour] .
<o:org> 's [plan/NOUN|answer/NOUN] [was/AUX read to|surprised/VERB] <p:person> .
"""

SENTENCES = {"deed": _DEED, "did": _DID, "words": _WORDS, "names": _NAMES}
