"""The plots at home, and how a story is put together: an opening, a plot, its ending.

Written in the notation of `grammar.parse`; a blank line ends a scene. `{hero}` is picked in the
opening with all facts about this person (home, job, pet, sibling), `{friend}` among the hero's
friends. What a plot picks early (a gift, a place, a colour) returns by name near its end. The other
plots are in `adventures`, `errands` and `pastimes`.
"""

from __future__ import annotations

PLOTS = {
    "story": """
@opening @plot </s>
""",
    "opening": """
5: <hero:person> [was|worked as] {hero.ajob} {hero.job} in {hero.town} [, a town in {hero.country}|]
    .
2: <hero:person> lived [in {hero.town}|by the river {hero.river}] and [was|worked as] {hero.ajob}
    {hero.job} .
<hero:person> , who [was|worked as] {hero.ajob} {hero.job} , [lived|had a house] in {hero.town} .
Everybody [liked|knew] <hero:person> , {hero.ajob} {hero.job} in {hero.town} .
This is [the tale|a story] of <hero:person> , {hero.ajob} {hero.job} [from|in] {hero.town} .
[Long ago|Once] , <hero:person> [was {hero.ajob} {hero.job}|had a house] in {hero.town} .

2: {hero.He} [had|kept] a {hero.pet} [called|named] {hero.petname} .
2: {hero.He} [lived with|was close to|worked with] {hero.his} {hero.kin} {hero.sibling} .
{hero.He} [loved|liked] {hero.likes} [and the colour {hero.colour}|more than any other food] .
{hero.His} favourite [food was {hero.likes}|colour was {hero.colour}] .
{hero.His} {hero.pet} [was called|was named|answered to] {hero.petname} .
""",
    "plot": """
4: @lost
4: @journey
4: @dinner
3: @letter
3: @rescue
3: @contest
2: @storm
2: @painting
2: @bedtime
2: @thief
3: @stall
3: @garden
3: @lesson
3: @concert
2: @bridge
3: @illness
2: @wager
2: @treasure
2: @snow
2: @visitor
3: @repair
""",
    "aside": """
4: @everyday:hero
@everyday:hero @everyday:hero
3: @seen
""",
    "pause": """
4: @everyday:hero
3: @seen
""",
    "dinner": """
[On Sunday|One evening|That week] {hero} wanted to cook <a dish:dish> for <friend:friends/hero> .
It was the birthday of <friend:friends/hero> , and {hero} [wanted|planned] to make <a dish:dish> .

For [it|that] {hero.he} needed <one:food.plural> , <two:other_food.plural/one> , [some flour|a
    little meat] and salt .
{hero} [made|wrote] a list : <n:number> <one:food.plural> , a few <two:other_food.plural/one> , and
    [butter|salt] .

At the market {hero.he} [looked|asked] for the {one.plural} first .
{hero.He} took a [basket|bag] and went [down the road |]to the market .
@aside

" How much are the {one.plural} ? " {hero.he} asked [the seller|a young woman|an old farmer] .
" These {two.plural} are [fresh|cheap|from {hero.country}] , " [said the seller|a woman said] .
The seller [had|showed {hero.him}] the best {one.plural} in {hero.town} .

" [Two|Four|Eight] {hero.coins} for [all of them|the {one.plural}] , " was the [answer|price] .
{hero} [paid|gave] [two|four|eight|six] {hero.coins} [for the {one.plural}|for everything] .

At home {hero} [washed|cut|cooked] the {one.plural} and [cut|added|washed] the {two.plural} .
Soon the {one.plural} were in the pot , and the {two.plural} [too|followed] .

@aside
{hero.petname} , the {hero.pet} , [watched|waited by the stove|slept in the kitchen] .
" [Too much|More|No more] salt , " {hero.he} [said|thought] .

Then the {dish} was [ready|done] , and [so was the table|{hero} set the table for two] .
An hour later the {dish} was [ready|done|on the table] .

{friend} came [late|early|at eight] and brought [<a gift:thing>|flowers and <a gift:thing>] .
{friend} , {friend.ajob} {friend.job} , came straight from work with <a gift:thing> .

@talk:friend
" I [love|like] {friend.likes} , but this is [better|even better] , " said {friend} .
" What a [good|fine|wonderful] {dish} ! " [said|cried] {friend} .

They ate and [talked|laughed] [for hours|until late|the whole night] .
They talked about [{friend.town}|old times|{hero.his} {hero.kin} {hero.sibling}|work] .

@glad:hero
@aside

Nothing was left of the {dish} [but a few {two.plural}|that night|in the end] .
The {gift} still [stands in|brightens] the kitchen in {hero.town} .
Next time , {friend} promised , it would be {friend.his} turn to [cook|make the {dish}] .
""",
    "letter": """
One [morning|day] [the mail brought|there was] a letter from <friend:friends/hero> .
A letter came [with the mail|in the mail] : it was from <friend:friends/hero> .

" Dear {hero} , " it [said|began] , " [I write to you from <place:abroad/hero>|I am in
    <place:abroad/hero>] .
" My dear {hero} , " {friend} wrote , " I am [well and] in <place:abroad/hero> .

The [sun|weather] is [warm|good] here , and I [see|hear] the sea every [day|night] .
I have [a new house|no work|two new friends|eight hens|been ill for a week] .
I work as {friend.ajob} {friend.job} , and I [buy|eat] {friend.likes} every [day|week] .

Here I found <a gift:thing> [for you|in a sale] , and it [is right here|waits for you] .
I have <a gift:thing> that you [would|will] [love|like] .

[Come|Please come] and [meet|see] me here [soon|for a week] ! "
Do [write|come] soon . [Yours|Your friend] , {friend} . "

{hero} read the letter [twice|two times|four times|by the fire] .
2: @glad:hero

@aside
{hero} showed the letter to {hero.his} {hero.kin} {hero.sibling} .

" Will you go to {place} ? " {hero.his} {hero.kin} {hero.sibling} asked .
" {place.country} is [far|too far] , " said {hero.his} {hero.kin} {hero.sibling} ,
    " but {friend} is your [best|old] friend . "

@aside
" I would [like to|go] , " {hero} answered , " but [the mail is slow|I have work here] . "

So {hero} took a pen and [wrote|began to write] : " Dear {friend} , [I will come|keep the {gift} for
    me] . "
The next day {hero} [wrote back|sent a letter] to {place} and [asked about|waited for] the {gift} .
[Two|Four] weeks later {hero} was on the road to {place} .

@aside
@told:hero

In the end {friend} came to {hero.town} and brought the {gift} .
[A month|A year] later they [met|were both] in {place.country} , and {hero} [got|saw] the {gift} .
""",
    "painting": """
[That|One] [spring|summer] {hero} wanted to paint the <part:part> <colour:colour> .
{hero} 's <part:part> was old , and {hero.he} wanted to paint it <colour:colour> .

But <friend:friends/hero> , {friend.ajob} {friend.job} from {friend.town} , liked
    <other:other_colour/colour> better .
{hero.His} {hero.kin} {hero.sibling} thought that <other:other_colour/colour> would be better .

" {colour.cap} is [a cold colour|too dark|too loud|not right here] . "
" Why not {other} ? " was the question . " {other.cap} [goes with|is for] everything . "

@aside
{hero} [thought about it|slept on it|waited] for [a day|two days|a week] .

@swapped
@kept
""",
    "swapped": """
At the shop there was no {colour} [left|at all] , so {hero} took [two|four] pots of {other} .
The {colour} paint was too expensive , so {hero} [bought|paid for] {other} .

{hero} [painted|worked] [for two days|from morning to night] , and {hero.petname} the {hero.pet}
    watched .
@aside

{hero.petname} had {other} [feet|ears] for [a week|weeks] .
@everyday:hero

When it was done , [the street|everyone in {hero.town}] came to see the {other} {part} .
Since then there is no {colour} [left|to be seen] in the [street|whole street] , but much {other} .
""",
    "kept": """
The {colour} paint cost [eight|twenty|four] {hero.coins} , and {hero} [bought|took] [two|four] pots
    of it .
{hero} bought {colour} all the same , and <n:number> [new |]brushes too .

{hero.petname} the {hero.pet} [watched|slept] [for two days|from morning to night] while {hero}
    painted .
@aside

{hero.petname} had {colour} [feet|ears] for [a week|weeks] .
@everyday:hero

To this day people in {hero.town} [ask for|know] the house with the {colour} {part} .
@told:hero
""",
    "bedtime": """
One [night|evening] the children of <friend:friends/hero> could not sleep , and {hero} told a
    [tale|story] .
That [night|evening] {hero} read a tale to the [children|son] of <friend:friends/hero> .

@tale

@tale
@aside

" And [then|what happened then] ? " asked [a small voice|the children] .
@talk:hero

In the [tale|story] [the king|a queen|an old man] had <a thing:thing> that could
    [sing|fly|talk|grant wishes] .
Then , in a [wood|hole|tower] , they found <a thing:thing> , and it [was made of gold|could talk] .

Whoever had the {thing} would [rule the world|never be sad|live for ever] .
But [a thief|a fox|a bad knight] [took|stole] the {thing} and ran [through the night|to
    <port:place>] .

2: @tale
An old <animal:animal> [saw it all|knew the thief] and told the [king|queen|knight] .

So the {thing} [came home|was found] , and there was peace [in the land|for eight years] .
In the end the {thing} [broke|was thrown] into [two|eight] pieces , and [no one|nobody] [won|was
    king] .

By then everyone was asleep [but {hero}|, even {hero.petname} the {hero.pet}] .
" [Again|One more] ! " [said|cried] the [children|smallest one] , but it was [late|too late] .

{friend} [came|looked] in and [smiled|thanked {hero}] .
@everyday:friend

The next day the [children|little ones] wanted such {thing.plural} too .
And {hero} went home [through the night|down the dark road] to {hero.his} {hero.pet} {hero.petname}
    .
""",
}
