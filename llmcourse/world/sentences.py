"""Sentences that any story may hold: feelings, talk, remarks full of words that sound alike.

Written in the notation of `grammar.parse`; slot `x` is whoever the sentence is about. The groups of
`HOMOPHONES` each occur here or in `plots` in contexts that tell them apart, so that language alone
can settle what the ear cannot.
"""

from __future__ import annotations

_ALIKE = """
sun/son flour/flower sea/see mail/male bare/bear two/too/to meet/meat meets/meats pair/pear
hour/our write/right knew/new one/won eight/ate road/rode blue/blew wood/would tail/tale
week/weak hair/hare deer/dear red/read for/four sail/sale piece/peace through/threw whole/hole
hear/here no/know buy/by wear/where night/knight steel/steal
"""
HOMOPHONES = tuple(tuple(group.split("/")) for group in _ALIKE.split())

# Words of two senses, each with a beginning of text that holds to one of them.
SENSES = {
    "bank": ("opposite bank", "The bank in"),
    "bark": ("bark of the oak", "bark of a dog"),
    "bat": ("A bat hung", "A bat and"),
    "letter": ("Which letter comes", "a letter from"),
    "match": ("struck a match", "match of chess"),
    "palm": ("under a palm", "the palm of"),
    "seal": ("seal of wax", "seal on the beach"),
    "spring": ("A spring behind", "One spring", "tiny spring was"),
}

SENTENCES = {
    "everyday": """
The sun was [hot|bright|low|warm] [that day|by then|over the hills|on the water] .
The [2: sun|moon] [shone|came out] [over the road|through the trees|for a while] .
The bark of the [old |][oak|tree] was [rough|wet] .
The bark of [a dog|the neighbour 's dog] [woke everyone|could be heard far away] .
A bat [hung under the roof|slept in the barn|flew round the tower] .
A bat and a ball [lay|were left] on the grass .
{x.He} [leaned on a palm|rested under a palm|rubbed the palm of {x.his} hand] .
{x.He} [sealed a letter with a seal of wax|saw a seal on the beach|carved a letter into the bark] .
The neighbour and her [young |]son [waved from the window|came by with [some flour|a pear|eggs]] .
An old [man and his|woman and her] son [sold|picked] [pears|flowers|four baskets of plums] by the
    road .
The wind blew [all night|from the sea|the leaves [into a hole|down the road|through the gate]] .
The [mail|night train] [came|was] [late|early] , and [nobody|no one] [knew why|would say why] .
The trees were [still |already |]bare [, and the [road was wet|sea was grey]|that week] .
The [sea|sky] was [blue and calm|grey|too bright to look at|as blue as [a flower|steel]] .
The road [to|through] [the hills|the wood] was [long|too long|wet|bare|full of [holes|carts|hares]]
    .
A [brown bear|male fox|hare|deer] [crossed the road|ran through the wood|came out of a hole] .
A [red|blue|new|male] [bird|parrot|duck] sat [by the road|on the bare branch|in the sun] [for an
    hour|] .
Somewhere a [bell|dog|bird] could be heard , and then there was peace .
There [was no wind|was snow on the road|were four [new |]boats [for sale |]by the sea] .
{x.He} [ate|bought|cut|shared] [a pear|a piece of [cheese|cake|bread]|the whole [cake|pie]|two eggs]
    .
{x.He} ate [too much|a bean soup|eight plums|meat and rice|four pancakes|no meat] [that day|that
    night|] .
{x.He} [wore|found|bought|lost] [a pair of [new |red |blue |]shoes|a new [coat|hat]|eight buttons] .
{x.He} [was too [tired|late|weak|shy] to [see|hear|eat|write|wait|sail]|was [right|weak|not alone]]
    .
{x.He} [combed|cut|washed|dried] {x.his} hair [in the sun|by the fire|for an hour|for the feast] .
{x.He} [went|walked|ran|hurried] [down|up] the stairs [in bare feet|to see the sea|to wait|for the
    mail] .
{x.He} read [the mail|a tale about a [knight|bear|hare|male deer]|for an hour|the whole night] .
{x.He} [liked to [meet {x.his} neighbours|see the sea|write letters|hear tales|read by the fire]] .
{x.He} knew [the road well|no fear|it was [too late|right]|where to [look|wait|buy wood|meet
    people]] .
{x.He} would [wait|write|sail|break [the rules|a plate]] [again|for no one|one day|for a whole week]
    .
{x.He} [had been|was] [ill|weak|busy|away] for [a week|four days|eight days|two weeks|an hour] .
{x} [rode|walked|sang] [down the road|through the wood|to the sea|by the river] [for an hour|that
    night|] .
{x} threw [a stone|a bean|some bread|a piece of wood] [into the sea|to the ducks|down a hole] .
{x} [bought|needed|carried] [some flour|some wood|a bag of flour|eight roses|the weight of the
    [flour|wood|week]] .
{x} [picked a [white |red |]flower|ate a [ripe |]pear|cut a rose] [by the road|for the table|for
    luck] .
{x} [won a [race|prize|game]|won the [first prize|whole cake]] [once|that week|too|by luck] .
{x} had [no hair to comb|two cups of weak tea|meat for [two|four|eight]|a new [brake|wheel] on the
    cart] .
{x.His} [hair|coat|shirt] was [wet|grey with flour|full of snow|too long] .
A dog [wagged its tail|lost a piece of its tail|hid its tail|had a white tail] .
""",
    "talk": """
" [I|We] [see|hear] [the sea|no one|the bell|a bear] , " said {x} .
" I [know|knew] [the road|that tale|where it is|no one here|you are right] , " said {x} .
" [Where|When] [will we|can I|do we] [meet|wait|eat|buy wood|see the sea] [again|here|] ? " {x.he}
    asked .
" Come here , " {x.he} said , " and [see|hear] [for yourself|our new [bell|clock|song]] . "
" Our [house|road|street|boat|cook|son] is [right by the sea|too old|new|the best one here] , " said
    {x} .
" This is our [whole |]week , " {x.he} said , " and [no day|not one hour] is free . "
" [My dear friend|My dear] , " said {x} , " [you are right|wait here|do not break it|we would know]
    . "
" No , " said {x} , " [I know [no one|one way]|it is too [late|far|cold]|we are right here] . "
" What will you wear [to the feast|tonight] ? " asked {x} .
" You must not [steal|wait|break the [vase|law]] , " {x.he} said .
" [{x} meets|A guest meets] [people|no one|old friends] here every [week|night] , " someone said .
" They sell [cold |good |]meats [here|by the sea|for four [coins|guests]] , " said {x} .
" It is [my|our] right to [know|wait here|hear it] , " said {x} .
" Be [still|quiet] , " {x.he} said , " [there is|I hear] a [bear|deer|knight] [in our wood|by the
    road] . "
" There is [no|a] [sale|mail] [today|this week] , " said {x} .
@told:x
""",
    "told": """
" @seen_now , " {x} [said|thought] .
""",
    "tale": """
It was [a|the] tale of a [knight|bear|hare|king] who [would not [wait|break a vow]|knew no fear|rode
    alone] .
The tale [began|ended] [with|in] [a sale of [steel|wood]|rows of [roses|knights]|a whole week of
    peace] .
In the tale , a knight [with a steel hat |]rode through [the wood|a sea of flowers|the night] .
It told of [rows of [ships|beans]|four knights|a bear with no tail|a thief who would steal the sun]
    .
""",
    "glad": """
{x} was [glad|happy|very happy|full of joy] .
{x.He} [smiled|laughed|clapped {x.his} hands|danced for joy] .
{x.He} could not [stop smiling|wait to tell {x.his} {x.kin} {x.sibling}] .
" [How lovely|Wonderful|What luck] ! " [said|cried] {x} .
""",
    "sad": """
{x} was [sad|worried|upset|close to tears] .
{x.He} [sighed|sat down and sighed|did not know what to do|began to cry] .
{x.He} [ate nothing|could not sleep|sat by the stairs] that night .
" [Oh no|How sad|What a pity] ! " [said|cried] {x} .
""",
}
